"""Control: a server with workers is looked at, and told what to do, from outside."""
