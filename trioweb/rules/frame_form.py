"""The form of a frame: what its header says, and how (RFC 6455 section 5.2)."""

from __future__ import annotations

# The bits of a header's two first bytes (RFC 6455 section 5.2).
FIN, RSV1, RESERVED, OPCODE = 0x80, 0x40, 0x70, 0x0F
MASK, LENGTH = 0x80, 0x7F

# RFC 6455 section 11.8; those from Close on are of control frames.
CONTINUATION, TEXT, BINARY = 0x0, 0x1, 0x2
CLOSE, PING, PONG = 0x8, 0x9, 0xA

# Bytes of a header: two, the key, and what else a length of 126 or 127 announces; and
# the least length that may be written so, as the shortest form must be used.
HEADER, KEY = 2, 4
EXTENSIONS = {126: (2, 126), 127: (8, 1 << 16)}


def payload(frames: bytes, at: int) -> tuple[int, int]:
    """Where the payload of the frame at *at* begins, and how long it is."""
    second = frames[at + 1]
    start, length = at + 2, second & LENGTH
    if length in EXTENSIONS:
        size, _ = EXTENSIONS[length]
        length = int.from_bytes(frames[start : start + size], "big")
        start += size
    return start + (KEY if second & MASK else 0), length


def header(first: int, length: int, *, masked: bool = False) -> bytes:
    """The shortest header; of a masked frame, with a mask that changes nothing."""
    mask, key = (MASK, bytes(KEY)) if masked else (0, b"")
    for mark, (size, least) in reversed(EXTENSIONS.items()):
        if length >= least:
            return bytes([first, mask | mark]) + length.to_bytes(size, "big") + key
    return bytes([first, mask | length]) + key
