"""What HTTP says: pure functions and values, without IO, clock or randomness."""
