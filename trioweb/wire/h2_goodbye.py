"""Goodbye: GOAWAY in two steps, so that no request is lost between them (RFC 9113 6.8).

The first names no last stream, and a PING goes with it.  Once that is answered the peer
knows, and what it opens from then on can be refused; before that it could not know.
"""

from __future__ import annotations

from collections.abc import Callable

from trioweb.wire.alarms import Alarms
from trioweb.wire.h2_codes import Code, Kind, frame, goaway
from trioweb.wire.h2_library import Library
from trioweb.wire.h2_outgoing import Outgoing
from trioweb.wire.timer import Timer

# No stream has a higher number, so none is refused by this.
_ANY_STREAM = 2**31 - 1

# What our one PING says.
_HEARD = b"trioweb\0"


class Goodbye:
    """How far a connection is in telling its peer that it ends."""

    def __init__(
        self,
        library: Library,
        outgoing: Outgoing,
        alarms: Alarms,
        known: Callable[[], None],
    ) -> None:
        self._library = library
        self._outgoing = outgoing
        self._patience = Timer(alarms, self._finish)
        self._known = known  # told once the last stream is settled; must not block
        self.begun = False
        self.last: int | None = None  # the last stream that is answered
        self.said = False  # with the last stream

    def begin(self, patience: float) -> None:
        """Tell the peer, and wait *patience* seconds at most until it knows."""
        if not self.begun:
            self.begun = True
            self._outgoing.put(goaway(_ANY_STREAM, Code.NO_ERROR))
            self._outgoing.put(frame(Kind.PING, 0, _HEARD))
            self._patience.start(patience)

    def heard(self, answer: bytes) -> None:
        """A PING of ours was answered."""
        if answer == _HEARD and self.begun:
            self._finish()

    def say(self, code: Code) -> None:
        """Tell the peer that it ends, and why."""
        self.said = True
        last = self._library.last if self.last is None else self.last
        self._outgoing.put(goaway(last, code))

    def stop(self) -> None:
        """Wait for nothing any more."""
        self._patience.stop()

    def _finish(self) -> None:
        if self.last is None and not self.said:
            self._patience.stop()
            self.last = self._library.last
            self.say(Code.NO_ERROR)
            self._known()
