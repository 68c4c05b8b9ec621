"""What WebSockets cost, of trioweb and of its peers."""
