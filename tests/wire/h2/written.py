"""Frames of HTTP/2 written out, for the tests that send them."""

from __future__ import annotations

from collections.abc import Iterable

from trioweb.wire.h2_codes import Code, Flag, Kind, frame

END = Flag.END_STREAM
LAST_OF_BLOCK = Flag.END_HEADERS

HEADERS = frame(Kind.HEADERS, 1, b"\x82", LAST_OF_BLOCK)
RST = frame(Kind.RST_STREAM, 1, bytes(4))
PING = frame(Kind.PING, 0, bytes(8))
SETTINGS = frame(Kind.SETTINGS, 0, bytes(6))
PRIORITY = frame(Kind.PRIORITY, 1, bytes(5))
WINDOW = frame(Kind.WINDOW_UPDATE, 1, bytes(4))
UNKNOWN = b"\0\0\0\xee\0\0\0\0\0"
EMPTY = frame(Kind.DATA, 1)
PADDED = frame(Kind.DATA, 1, b"\x05" + bytes(5), Flag.PADDED)
TINY = frame(Kind.DATA, 1, b"a")
LAST = frame(Kind.CONTINUATION, 1, b"", LAST_OF_BLOCK)

Block = Iterable[tuple[bytes, bytes]]


def text(value: bytes) -> bytes:
    """A string literal, not in Huffman's code (RFC 7541 section 5.2)."""
    if len(value) < 127:
        return bytes([len(value)]) + value
    left, size = len(value) - 127, b"\x7f"
    while left >= 128:
        size += bytes([left % 128 + 128])
        left //= 128
    return size + bytes([left]) + value


def pack(fields: Block) -> bytes:
    """A block in which nothing is indexed (RFC 7541 section 6.2.2)."""
    return b"".join(b"\0" + text(name) + text(value) for name, value in fields)


def head(
    *fields: tuple[bytes, bytes], method: bytes = b"GET", path: bytes = b"/"
) -> bytes:
    """The block of a request."""
    pseudo = [
        (b":method", method),
        (b":scheme", b"http"),
        (b":authority", b"a"),
        (b":path", path),
    ]
    return pack([*pseudo, *fields])


def get(stream: int, *fields: tuple[bytes, bytes], path: bytes = b"/") -> bytes:
    """A whole request."""
    return frame(Kind.HEADERS, stream, head(*fields, path=path), END | LAST_OF_BLOCK)


def post(stream: int, *fields: tuple[bytes, bytes], path: bytes = b"/") -> bytes:
    """A request whose content is to follow."""
    block = head(*fields, method=b"POST", path=path)
    return frame(Kind.HEADERS, stream, block, LAST_OF_BLOCK)


def data(stream: int, content: bytes = b"", flags: int = 0) -> bytes:
    return frame(Kind.DATA, stream, content, flags)


def trailers(stream: int, *fields: tuple[bytes, bytes], flags: int = END) -> bytes:
    return frame(Kind.HEADERS, stream, pack(fields), flags | LAST_OF_BLOCK)


def settings(*pairs: tuple[int, int]) -> bytes:
    payload = b"".join(
        name.to_bytes(2, "big") + value.to_bytes(4, "big") for name, value in pairs
    )
    return frame(Kind.SETTINGS, 0, payload)


def window(stream: int, increment: int) -> bytes:
    return frame(Kind.WINDOW_UPDATE, stream, increment.to_bytes(4, "big"))


def rst(stream: int, code: Code = Code.CANCEL) -> bytes:
    return frame(Kind.RST_STREAM, stream, code.to_bytes(4, "big"))
