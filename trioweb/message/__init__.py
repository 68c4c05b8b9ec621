"""The hinge: what travels between the wire and the application."""
