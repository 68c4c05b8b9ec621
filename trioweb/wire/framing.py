"""Framing: how many of the bytes at hand belong to this message? (RFC 9112 section 6)

h11 decodes; this says where it must stop.  Bytes are handed on only when they are
proven to belong to the request at work, so h11 never holds a byte of the next one, and
never sees a chunk-size line longer than the bound.
"""

from __future__ import annotations

import enum
import re
from typing import Protocol

from trioweb.message.errors import BadRequest, HTTPError
from trioweb.rules.trailers import FORBIDDEN
from trioweb.wire.limits import Limits

_SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,16}+)(?:;[\t\x20-\x7e\x80-\xff]*+)?\r\n")
_TRAILER = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]++):[\t\x20-\x7e\x80-\xff]*+\r\n")


# Chunks taken at one go before others get their turn: each costs h11 about 10 µs.
CHUNKS = 16


class Framing(Protocol):
    """The extent of one message's content."""

    def take(self, buffer: bytearray) -> bytes:
        """Remove from the front of *buffer* what is proven; b"" if more must come."""

    def at_most(self) -> int | None:
        """How many bytes are still to come; None when nobody can tell."""


class Sized:
    """Content whose length was declared."""

    __slots__ = ("_left",)

    def __init__(self, length: int) -> None:
        self._left = length

    def take(self, buffer: bytearray) -> bytes:
        """Remove what belongs to the content."""
        piece = bytes(buffer[: self._left])
        del buffer[: len(piece)]
        self._left -= len(piece)
        return piece

    def at_most(self) -> int | None:
        """The bytes of the declared length that have not been taken."""
        return self._left


class _Part(enum.Enum):
    SIZE = enum.auto()
    DATA = enum.auto()
    DATA_END = enum.auto()
    TRAILERS = enum.auto()
    DONE = enum.auto()


class Chunked:
    """Content in chunks (RFC 9112 section 7.1), each line of framing checked."""

    __slots__ = (
        "_data",
        "_extensions",
        "_left",
        "_limits",
        "_overhead",
        "_part",
        "_trailers",
        "_trailing",
    )

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._part = _Part.SIZE
        self._left = 0  # bytes of the chunk at work
        self._data = 0  # bytes of content so far
        self._overhead = 0  # bytes of size lines and their ends so far
        self._extensions = 0  # bytes of chunk extensions among them
        self._trailers = 0  # trailer fields so far
        self._trailing = 0  # and their bytes

    def take(self, buffer: bytearray) -> bytes:
        """Remove whole lines and whatever data is there; HTTPError if malformed."""
        at, lines = 0, 0
        try:
            while lines < CHUNKS and (step := self._step(buffer, at)):
                lines += self._part is _Part.DATA
                at += step
        except HTTPError:
            # What came before the fault counts, as if it had come by itself: the
            # fault is met again when there is nothing before it.
            if not at:
                raise
        proven = bytes(buffer[:at])
        del buffer[:at]
        return proven

    def at_most(self) -> int | None:
        """None: a chunked body ends when it says so."""
        return 0 if self._part is _Part.DONE else None

    def _step(self, buffer: bytearray, at: int) -> int:
        match self._part:
            case _Part.SIZE:
                return self._size_line(buffer, at)
            case _Part.DATA:
                return self._chunk(len(buffer) - at)
            case _Part.DATA_END:
                return self._chunk_end(buffer, at)
            case _Part.TRAILERS:
                return self._trailer(buffer, at)
            case _Part.DONE:
                return 0

    def _size_line(self, buffer: bytearray, at: int) -> int:
        longest = at + self._limits.chunk_line
        line = _SIZE_LINE.match(buffer, at, longest)
        if line is None:
            if len(buffer) >= longest or buffer.find(b"\n", at) >= 0:
                raise BadRequest("a chunk-size line is malformed or too long")
            return 0
        size = line.end() - at
        self._extensions += size - len(line[1]) - len(b"\r\n")
        if self._extensions > self._limits.chunk_extensions:
            raise BadRequest("the chunks have too many extensions")
        self._overhead += size + len(b"\r\n")
        self._left = int(line[1], 16)
        self._data += self._left
        if self._overhead > self._data + self._limits.chunk_overhead:
            raise BadRequest("the chunks are more framing than content")
        self._part = _Part.DATA if self._left else _Part.TRAILERS
        return size

    def _chunk(self, available: int) -> int:
        step = min(self._left, available)
        self._left -= step
        if not self._left:
            self._part = _Part.DATA_END
        return step

    def _chunk_end(self, buffer: bytearray, at: int) -> int:
        end = buffer[at : at + 2]
        if not b"\r\n".startswith(end):
            raise BadRequest("a chunk does not end where it said")
        if len(end) < len(b"\r\n"):
            return 0
        self._part = _Part.SIZE
        return len(end)

    def _trailer(self, buffer: bytearray, at: int) -> int:
        end = buffer.find(b"\n", at) + 1
        size = end - at if end else len(buffer) - at
        if self._trailing + size > self._limits.trailers:
            raise HTTPError(431, f"trailers of more than {self._limits.trailers} bytes")
        if not end:
            return 0
        if buffer[at:end] == b"\r\n":
            self._part = _Part.DONE
            return size
        field = _TRAILER.fullmatch(buffer, at, end)
        if field is None or field[1].lower() in FORBIDDEN:
            raise BadRequest("a trailer field is malformed or not allowed there")
        self._trailers += 1
        self._trailing += size
        if self._trailers > self._limits.trailer_fields:
            raise HTTPError(
                431, f"more than {self._limits.trailer_fields} trailer fields"
            )
        return size
