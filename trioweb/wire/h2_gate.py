"""The gate of HTTP/2: bytes become frames, or a fault, before anything looks into them.

What a frame costs its peer is the `Account`'s matter, what it means the library's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from trioweb.wire.h2_codes import LAYOUT, Code, Flag, Kind

# Bytes before every payload.
HEADER = LAYOUT.size

# Bytes of a payload: the least that every receiver must take, and so the default that
# we never raise (RFC 9113 section 4.2).
FRAME = 16 * 1024

# One block of fields as it comes, bytes: as large as the head of HTTP/1.1.  What it
# unpacks to is bounded elsewhere.
BLOCK = 32 * 1024

# And in how many CONTINUATION frames beside its first: BLOCK needs two.
CONTINUATIONS = 8

ENTRY = 6  # bytes (RFC 9113 section 6.5.1)


class FrameFault(Exception):
    """The connection cannot go on; *code* is what its GOAWAY says."""

    def __init__(self, reason: str, code: Code) -> None:
        super().__init__(reason)
        self.code = code


class Flood(FrameFault):
    """More of something than any honest peer sends."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"too much: {reason}", Code.ENHANCE_YOUR_CALM)


class Frame(NamedTuple):
    """One frame; *raw* is all of it, header and payload, as it came.

    But in WINDOW_UPDATE the reserved bit is not set (RFC 9113 section 6.9).
    """

    kind: int
    flags: int
    stream: int
    raw: bytes


class Frames:
    """Bytes of a peer, behind its preface, cut into frames that could have a meaning.

    What a frame may mean where it stands is not known here, but for two things: the
    first must be SETTINGS, and within a block of fields there is nothing else.
    """

    __slots__ = ("_ahead", "_block", "_block_of", "_continuations", "_greeted")

    def __init__(self) -> None:
        self._ahead = b""  # the beginning of a frame
        self._greeted = False  # the peer's settings have come
        self._block_of = 0  # the stream whose block of fields is at work; 0: none
        self._block = 0  # bytes of it
        self._continuations = 0  # frames of it, but for the first

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Each frame that *data* makes whole.

        Raises FrameFault behind the last that is sound: as soon as the next has begun,
        whatever it would still hold.  After it, or if not all is taken, it is of no use
        any more.
        """
        # Never more than a frame that is not whole, so this is never much to copy.
        data = self._ahead + data
        at, most = 0, len(data)
        while most - at >= HEADER:
            high, low, kind, flags, stream = LAYOUT.unpack_from(data, at)
            size = high << 8 | low
            stream &= 0x7FFFFFFF
            if size > FRAME:
                raise FrameFault("a frame is too large", Code.FRAME_SIZE_ERROR)
            self._judge(kind, flags, stream, size)
            end = at + HEADER + size
            if most < end:
                break
            raw = data[at:end]
            at = end
            if kind == Kind.WINDOW_UPDATE:
                # The first bit means nothing, yet the library would read it.
                raw = raw[:HEADER] + bytes([raw[HEADER] & 0x7F]) + raw[HEADER + 1 :]
            elif kind in _FIELDS:
                self._count(kind, flags, stream, size)
            self._greeted = True
            yield Frame(kind, flags, stream, raw)
        self._ahead = data[at:]

    def _judge(self, kind: int, flags: int, stream: int, size: int) -> None:
        if kind in _OFTEN and stream and not self._block_of and self._greeted:
            return  # as nearly all are; it is what the rest comes to for them
        self._judge_place(kind, flags, stream)
        if kind == Kind.CONTINUATION:
            self._judge_block(size)
        elif kind not in _OFTEN:
            _judge_size(kind, flags, size)

    def _judge_place(self, kind: int, flags: int, stream: int) -> None:
        if (kind == Kind.CONTINUATION) != bool(self._block_of) or (
            self._block_of and self._block_of != stream
        ):
            raise _broken("a block of fields is not in one piece")
        if kind in _ON_STREAM if not stream else kind in _ON_CONNECTION:
            raise _broken("a frame is on a stream where it must not be")
        if not self._greeted and (kind != Kind.SETTINGS or flags & Flag.ACK):
            raise _broken("the first frame is not SETTINGS")

    def _judge_block(self, size: int) -> None:
        if self._continuations == CONTINUATIONS:
            raise Flood(f"more than {CONTINUATIONS} CONTINUATION frames in a row")
        if self._block + size > BLOCK:
            raise Flood(f"a block of fields of more than {BLOCK} bytes")

    def _count(self, kind: int, flags: int, stream: int, size: int) -> None:
        if kind == Kind.HEADERS:
            self._block, self._continuations = size, 0
        else:
            self._block += size
            self._continuations += 1
        self._block_of = 0 if flags & Flag.END_HEADERS else stream


_OFTEN = frozenset({Kind.DATA, Kind.HEADERS})
_FIELDS = frozenset({Kind.HEADERS, Kind.CONTINUATION})
_ON_CONNECTION = frozenset({Kind.SETTINGS, Kind.PING, Kind.GOAWAY})
_ON_STREAM = frozenset(
    {*_FIELDS, Kind.DATA, Kind.PRIORITY, Kind.RST_STREAM, Kind.PUSH_PROMISE}
)

# Payloads that have one size (RFC 9113 sections 6.3 to 6.9).
_SIZES: dict[int, int] = {
    Kind.PRIORITY: 5,
    Kind.RST_STREAM: 4,
    Kind.PING: 8,
    Kind.WINDOW_UPDATE: 4,
}


def _judge_size(kind: int, flags: int, size: int) -> None:
    match kind:
        case Kind.SETTINGS if flags & Flag.ACK:
            wrong = size > 0
        case Kind.SETTINGS:
            wrong = size % ENTRY > 0
        case Kind.GOAWAY:
            wrong = size < 8
        case _:
            wrong = size != _SIZES.get(kind, size)
    if wrong:
        raise FrameFault("a frame has the wrong size", Code.FRAME_SIZE_ERROR)


def _broken(reason: str) -> FrameFault:
    return FrameFault(reason, Code.PROTOCOL_ERROR)
