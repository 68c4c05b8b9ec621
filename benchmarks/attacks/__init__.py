"""The attacks: what one hostile peer does, and what is to become of it."""
