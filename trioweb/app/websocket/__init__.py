"""WebSockets: routed like any request, spoken by trio-websocket, bounded by us."""
