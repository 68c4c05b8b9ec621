"""Bytes to requests and responses to bytes: the protocols, and their limits."""
