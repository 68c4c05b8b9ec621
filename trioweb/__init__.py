"""A web server and REST framework on Trio."""

__version__ = "0.1.0"
