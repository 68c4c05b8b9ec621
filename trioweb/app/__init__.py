"""The application: from Request to Response."""
