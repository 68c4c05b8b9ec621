"""Bounds of TLS, whatever carries it."""

# Bytes of a record, at most (RFC 8446 section 5.1): what a read may find.
RECORD = 16 * 1024

# Bytes that a record is longer than what it holds: 22 in TLS 1.3, 29 in 1.2.
FRAMING = 22

# Seconds that a peer may take to make room for our goodbye.
FAREWELL = 1.0

# Bytes that a peer may still send after our goodbye, which are thrown away: as many as
# one of plain HTTP may, for the same reason.
LINGERING = 4 * 1024 * 1024
