"""The gate of HTTP/2: frames taken apart, counted and paid for before they cost much.

A frame of nine bytes costs its receiver ten to forty microseconds, so that one peer
with a slow line could keep a core busy with frames that ask for nothing.  Whatever a
peer may send without getting on with a request is therefore paid out of an allowance
that fills again with time: ample for what honest peers do, and soon empty in a flood.

No kind has a bound by its share of all bytes, because each has one of its own; and what
a frame makes us say or keep is bounded where it is said or kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from trioweb.rules.allowance import Allowance
from trioweb.wire.h2_codes import Code, Flag, Kind
from trioweb.wire.limits import FIELD_LIST, STREAMS

# Bytes before every payload (RFC 9113 section 4.1).
HEADER = 9

# Bytes of a payload: the least that every receiver must take, and so the default that
# we never raise (RFC 9113 section 4.2).
FRAME = 16 * 1024

# One block of fields as it comes, bytes: as large as the head of HTTP/1.1.  What it
# unpacks to is bounded elsewhere.
BLOCK = 32 * 1024

# And in how many CONTINUATION frames beside its first: BLOCK needs two.
CONTINUATIONS = 8

# Empty DATA frames that end nothing, for one stream; Envoy takes one in a row.
EMPTY = 10

# WINDOW_UPDATE and PING frames in return for each DATA frame of ours: a peer opens the
# stream's window and the connection's, and some measure the line by a PING.
RETURNS = 4

# PRIORITY frames for each stream that is opened: whoever builds a tree of them.
PRIORITIES = 10

# Entries of a SETTINGS frame that cost what a frame costs; there are ten settings.
ENTRIES = 32

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

    __slots__ = ("_block", "_block_of", "_buffer", "_continuations", "_greeted")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._greeted = False  # the peer's settings have come
        self._block_of = 0  # the stream whose block of fields is at work; 0: none
        self._block = 0  # bytes of it
        self._continuations = 0  # frames of it, but for the first

    def feed(self, data: bytes | bytearray) -> Iterator[Frame]:
        """Each frame that *data* makes whole.

        Raises FrameFault behind the last that is sound: as soon as the next has begun,
        whatever it would still hold.
        """
        buffer = self._buffer
        buffer += data
        while len(buffer) >= HEADER:
            size = int.from_bytes(buffer[:3], "big")
            kind, flags = buffer[3], buffer[4]
            stream = int.from_bytes(buffer[5:HEADER], "big") & 0x7FFFFFFF
            if size > FRAME:
                raise FrameFault("a frame is too large", Code.FRAME_SIZE_ERROR)
            self._judge_place(kind, flags, stream)
            if kind == Kind.CONTINUATION:
                self._judge_block(size)
            elif kind not in _OFTEN:
                _judge_size(kind, flags, size)
            end = HEADER + size
            if len(buffer) < end:
                return
            raw = bytes(buffer[:end])
            # Cheap: bytes at the front of a bytearray are skipped, not moved.
            del buffer[:end]
            if kind == Kind.WINDOW_UPDATE:
                # The first bit means nothing, yet the library would read it.
                raw = raw[:HEADER] + bytes([raw[HEADER] & 0x7F]) + raw[HEADER + 1 :]
            if kind in _FIELDS:
                self._count(kind, flags, stream, size)
            self._greeted = True
            yield Frame(kind, flags, stream, raw)

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


class Account:
    """What one peer may still send without getting on with a request."""

    __slots__ = (
        "_empty",
        "_fields",
        "_others",
        "_priorities",
        "_resets",
        "_returns",
        "_settings",
        "_signals",
        "_thin",
        "_windows",
    )

    def __init__(self) -> None:
        # Streams that were opened for nothing, by whoever's fault.  A browser resets
        # some dozens when its user leaves; Go takes 1000 and 33 a second.
        self._resets = Allowance("streams reset", 200, 20)
        # A keep-alive is one PING in ten seconds or more; its answer costs us as much.
        self._signals = Allowance("PING frames", 50, 1)
        # One, and the acknowledgement of ours; some say another for each new window.
        self._settings = Allowance("SETTINGS frames", 20, 0.5)
        # 100, and more with streams: Chromium sorts its images anew when it sees them.
        self._priorities = Allowance("PRIORITY frames", 100 + PRIORITIES * STREAMS, 0)
        self._priorities.take(0, PRIORITIES * STREAMS)
        # To begin with each stream may have its window opened; then see RETURNS.
        self._windows = Allowance("WINDOW_UPDATE frames", 1000, 100)
        # What nobody knows is to be ignored (RFC 9113 section 5.5), which costs too.
        self._others = Allowance("frames of no use", 100, 10)
        # Bytes of framing above those of content, as for chunks of HTTP/1.1; the rate
        # is for small messages, of which 900 a second may be empty.
        self._thin = Allowance("framing of content", 16 * 1024, 8 * 1024)
        # Bytes of unpacked fields of requests that are not answered: a reference of
        # one byte can stand for 4 KiB.
        self._fields = Allowance("fields", 1024 * 1024, 100 * 1024)
        self._returns = 0  # frames that are owed in return for content of ours
        self._empty: dict[int, int] = {}  # empty frames, by stream

    def charge(self, frame: Frame, now: float) -> None:
        """Pay for *frame*, before it is looked into; Flood if it cannot be paid.

        *now* in seconds, of a clock that never goes back.
        """
        match frame.kind:
            case Kind.HEADERS:
                self._priorities.give(PRIORITIES)
            case Kind.DATA:
                if len(frame.raw) < 2 * HEADER or frame.flags & Flag.PADDED:
                    self._content(frame, now)
            case Kind.CONTINUATION:
                pass  # counted as part of its block, before the block is whole
            case Kind.WINDOW_UPDATE | Kind.PING if self._returns:
                self._returns -= 1
            case Kind.SETTINGS:
                entries = (len(frame.raw) - HEADER) // ENTRY
                _pay(self._settings, now, 1 + entries // ENTRIES)
            case kind:
                _pay(self._allowance(kind), now)

    def sent(self) -> None:
        """A DATA frame has been sent: the peer may send some frames in return."""
        self._returns += RETURNS

    def provoked(self, now: float) -> None:
        """We have reset or refused a stream because of the peer; Flood if too often."""
        _pay(self._resets, now)

    def unpacked(self, size: int, now: float) -> None:
        """A request's fields have *size* bytes, unpacked; Flood if that is too much."""
        _pay(self._fields, now, size)

    def answered(self) -> None:
        """A response is complete: it was worth its request's fields."""
        self._fields.give(FIELD_LIST)

    def _allowance(self, kind: int) -> Allowance:
        match kind:
            case Kind.RST_STREAM:
                return self._resets
            case Kind.PING:
                return self._signals
            case Kind.WINDOW_UPDATE:
                return self._windows
            # PRIORITY_UPDATE has taken the place of PRIORITY (RFC 9218 section 7.1).
            case Kind.PRIORITY | 0x10:
                return self._priorities
            case _:
                return self._others

    def _content(self, frame: Frame, now: float) -> None:
        """DATA in which there is little or nothing."""
        content = len(frame.raw) - HEADER
        if frame.flags & Flag.PADDED and content:
            content -= 1 + frame.raw[HEADER]
        framing = len(frame.raw) - content
        if framing > content:
            _pay(self._thin, now, framing - content)
        if content <= 0 and not frame.flags & Flag.END_STREAM:
            self._empty_on(frame.stream)

    def _empty_on(self, stream: int) -> None:
        count = self._empty.pop(stream, 0) + 1
        if count > EMPTY:
            raise Flood(f"more than {EMPTY} empty DATA frames for a stream")
        self._empty[stream] = count
        # Streams that are over stay noted until others have taken their place.
        if len(self._empty) > STREAMS:
            del self._empty[next(iter(self._empty))]


def _pay(allowance: Allowance, now: float, cost: float = 1.0) -> None:
    if not allowance.take(now, cost):
        raise Flood(allowance.what)
