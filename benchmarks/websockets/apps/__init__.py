"""An echo and a room, by each of the servers that are compared."""
