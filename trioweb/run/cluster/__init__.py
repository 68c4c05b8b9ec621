"""The cluster: worker processes, and the supervisor that keeps them serving."""
