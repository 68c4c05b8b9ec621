"""The account of one HTTP/2 peer: frames are paid for before they cost us much.

A frame of nine bytes costs its receiver ten to forty microseconds, so that one peer
with a slow line could keep a core busy with frames that ask for nothing.  Whatever a
peer may send without getting on with a request is therefore paid out of an allowance
that fills again with time: ample for what honest peers do, and soon empty in a flood.

No kind has a bound by its share of all bytes, because each has one of its own; and what
a frame makes us say or keep is bounded where it is said or kept.
"""

from __future__ import annotations

from trioweb.rules.allowance import Allowance
from trioweb.wire.h2_codes import Flag, Kind
from trioweb.wire.h2_gate import ENTRY, HEADER, Flood, Frame
from trioweb.wire.limits import FIELD_LIST, STREAMS

# Empty DATA frames that end nothing, for one stream; Envoy takes one in a row.
EMPTY = 10

# WINDOW_UPDATE and PING frames in return for each DATA frame of ours: a peer opens the
# stream's window and the connection's, and some measure the line by a PING.
RETURNS = 4

# PRIORITY frames for each stream that is opened: whoever builds a tree of them.
PRIORITIES = 10

# Entries of a SETTINGS frame that cost what a frame costs; there are ten settings.
ENTRIES = 32


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
