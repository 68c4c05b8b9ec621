"""Codes: the numbers of HTTP/2 that go over the wire (RFC 9113 sections 6 and 7)."""

from __future__ import annotations

import enum
import struct
from typing import Final

# What stands before every payload (RFC 9113 section 4.1): its length, as the high 16
# bits of 24 and the low 8; type; flags; the stream, with the reserved bit before it.
LAYOUT = struct.Struct(">HBBBL")

# What a peer that speaks HTTP/2 says first, whole (RFC 9113 section 3.4).
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


class Code(enum.IntEnum):
    """Why a stream or a connection ends (RFC 9113 section 7)."""

    NO_ERROR = 0x0
    PROTOCOL_ERROR = 0x1
    INTERNAL_ERROR = 0x2
    FLOW_CONTROL_ERROR = 0x3
    SETTINGS_TIMEOUT = 0x4
    STREAM_CLOSED = 0x5
    FRAME_SIZE_ERROR = 0x6
    REFUSED_STREAM = 0x7
    CANCEL = 0x8
    COMPRESSION_ERROR = 0x9
    CONNECT_ERROR = 0xA
    ENHANCE_YOUR_CALM = 0xB
    INADEQUATE_SECURITY = 0xC
    HTTP_1_1_REQUIRED = 0xD


class Kind(enum.IntEnum):
    """The types of frames (RFC 9113 section 6)."""

    DATA = 0x0
    HEADERS = 0x1
    PRIORITY = 0x2
    RST_STREAM = 0x3
    SETTINGS = 0x4
    PUSH_PROMISE = 0x5
    PING = 0x6
    GOAWAY = 0x7
    WINDOW_UPDATE = 0x8
    CONTINUATION = 0x9


class Flag:
    """The flags of frames; the same bit means different things for different types."""

    # Plain numbers: each & of an enum.IntFlag is a call that takes a microsecond, and
    # a request has half a dozen of them.
    END_STREAM: Final = 0x1
    ACK: Final = 0x1
    END_HEADERS: Final = 0x4
    PADDED: Final = 0x8
    PRIORITY: Final = 0x20


class Setting(enum.IntEnum):
    """The names of settings (RFC 9113 section 6.5.2; RFC 8441 section 3)."""

    HEADER_TABLE_SIZE = 0x1
    ENABLE_PUSH = 0x2
    MAX_CONCURRENT_STREAMS = 0x3
    INITIAL_WINDOW_SIZE = 0x4
    MAX_FRAME_SIZE = 0x5
    MAX_HEADER_LIST_SIZE = 0x6
    ENABLE_CONNECT_PROTOCOL = 0x8


def name_of(code: int) -> str:
    """What an error code is called, for logs and reasons.

    >>> name_of(8), name_of(77)
    ('CANCEL', 'error 77')
    """
    try:
        return Code(code).name
    except ValueError:
        return f"error {code}"


def frame(kind: Kind, stream: int, payload: bytes = b"", flags: int = 0) -> bytes:
    """One frame as it is on the wire (RFC 9113 section 4.1).

    >>> frame(Kind.PING, 0, bytes(8), Flag.ACK).hex()
    '0000080601000000000000000000000000'
    """
    return header(kind, stream, len(payload), flags) + payload


def header(kind: Kind, stream: int, size: int, flags: int = 0) -> bytes:
    """What comes before a payload of *size* bytes."""
    return LAYOUT.pack(size >> 8, size & 0xFF, kind, flags, stream)


def goaway(last: int, code: Code) -> bytes:
    """GOAWAY: streams above *last* have not been looked at (RFC 9113 section 6.8)."""
    payload = last.to_bytes(4, "big") + code.to_bytes(4, "big")
    return frame(Kind.GOAWAY, 0, payload)
