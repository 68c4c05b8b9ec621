"""Where wire and application are joined: sockets, nurseries, signals."""
