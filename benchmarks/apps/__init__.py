"""The programs that are measured: the same work for trioweb and for its peers."""
