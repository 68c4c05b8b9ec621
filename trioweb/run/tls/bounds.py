"""Bounds of TLS, whatever carries it."""

# Bytes of a record, at most (RFC 8446 section 5.1): what a read may find.
RECORD = 16 * 1024

# Bytes that are read from a socket, or sealed, at one go: a whole record.  OpenSSL
# keeps the room of the longest for as long as the connection lives.
PIECE = RECORD

# Bytes that may come without any content among them: some records in part, or changes
# of keys.  Each of those costs as much as a request, and carries nothing.
VAIN = 4 * RECORD

# Seconds that a peer may take to make room for our goodbye.
FAREWELL = 1.0

# Bytes that a peer may still send after our goodbye, which are thrown away: as many as
# one of plain HTTP may, for the same reason.
LINGERING = 4 * 1024 * 1024
