"""Testing an application: a client in memory, and the pytest plugin."""
