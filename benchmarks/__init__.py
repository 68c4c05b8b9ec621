"""Benchmarks: what needs a clock on the wall, programs of their own, or peers."""
