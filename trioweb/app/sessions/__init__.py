"""Sessions: the layer, what it keeps them in, and the cookie that names them."""
