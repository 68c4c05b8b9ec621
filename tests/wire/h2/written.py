"""Frames of HTTP/2 written out, for the tests that send them."""

from __future__ import annotations

from trioweb.wire.h2_codes import Flag, Kind, frame

HEADERS = frame(Kind.HEADERS, 1, b"\x82", Flag.END_HEADERS)
RST = frame(Kind.RST_STREAM, 1, bytes(4))
PING = frame(Kind.PING, 0, bytes(8))
SETTINGS = frame(Kind.SETTINGS, 0, bytes(6))
PRIORITY = frame(Kind.PRIORITY, 1, bytes(5))
WINDOW = frame(Kind.WINDOW_UPDATE, 1, bytes(4))
UNKNOWN = b"\0\0\0\xee\0\0\0\0\0"
EMPTY = frame(Kind.DATA, 1)
PADDED = frame(Kind.DATA, 1, b"\x05" + bytes(5), Flag.PADDED)
TINY = frame(Kind.DATA, 1, b"a")
LAST = frame(Kind.CONTINUATION, 1, b"", Flag.END_HEADERS)
