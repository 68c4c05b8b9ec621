"""Watch: the clock and the peer's leaving, which may end what a connection is doing.

One cancel scope stands around all that a connection does.  Its deadline is a number
that moves as the exchange goes through its phases, watched by the alarms of the loop.
A scope that has fired cannot be used again, so whatever ends one ends the loop in it.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable

import trio

from trioweb.message.exchange import OnDisconnect
from trioweb.message.transport import Gone
from trioweb.wire.alarms import Alarms
from trioweb.wire.limits import Limits


class Phase(enum.Enum):
    """What the connection waits for."""

    NEW = enum.auto()  # its first request
    IDLE = enum.auto()  # another one
    HEAD = enum.auto()  # the rest of a request's head
    HANDLER = enum.auto()  # the application, which may read and write as it likes
    ANSWERING = enum.auto()  # the peer, to take an answer that is all at hand
    TUNNEL = enum.auto()  # whatever HTTP has given way to


# Looked up once: an enumeration takes longer to find a member than anything that each
# request does with it.
_NEW, _IDLE, _HANDLER = Phase.NEW, Phase.IDLE, Phase.HANDLER

# Phases in which somebody works for the peer.
_HEEDING = frozenset({Phase.HANDLER, Phase.TUNNEL})


class Cause(enum.Enum):
    """Why the scope was cancelled."""

    TIME = "the phase has lasted too long"
    LEFT = "the peer has left"
    SLOW = "the content comes too slowly"
    STALLED = "the peer does not take what is sent"
    EVICTED = "others need the room"


class Watch:
    """The scope of one connection, and what may cancel it when.

    *taken* says how many of the bytes sent the peer has taken so far.
    """

    __slots__ = (
        "_alarms",
        "_asked_at",
        "_choice",
        "_content",
        "_ended",
        "_gone",
        "_leave_by",
        "_limits",
        "_read_by",
        "_said",
        "_taken",
        "_until",
        "_waited",
        "_write",
        "_write_by",
        "cause",
        "due",
        "now",
        "phase",
        "scope",
        "slot",
    )

    def __init__(
        self, alarms: Alarms, limits: Limits, taken: Callable[[], int]
    ) -> None:
        self.scope = trio.CancelScope()
        self.phase = Phase.NEW
        self.cause: Cause | None = None
        self.due = math.inf
        self.slot = 0
        # Asked of the clock itself: Trio's own function asks whose it is each time.
        self.now = trio.lowlevel.current_clock().current_time
        self._alarms = alarms
        self._limits = limits
        self._taken = taken
        self._choice: OnDisconnect = "cancel"
        # Each on Trio's clock; math.inf while it does not matter.
        self._until = math.inf  # when this phase must be over
        self._leave_by = math.inf  # until when the peer can be thought to listen
        self._gone: Gone | None = None
        self._said: str | None = None  # how it left, in other words
        self._read_by = math.inf  # when more content must have come
        self._write_by = math.inf  # when the peer is asked how much it has taken
        self._asked_at = 0.0  # since when content is waited for
        self._waited = 0.0  # seconds waited for the request's content so far
        self._content = 0  # bytes of it that came so far
        self._write = _Write()
        self._ended = False

    # Phases.

    def enter(self, phase: Phase, seconds: float | None = None) -> None:
        """Begin *phase*, which may last *seconds* (None: any time)."""
        self.phase = phase
        # As `limit`, without the call: each request comes by here.
        self._until = math.inf if seconds is None else self.now() + seconds
        if self._until < self.due or self._gone is not None:
            self._set_alarm()

    def rest(self, *, draining: bool) -> None:
        """Wait for a request from now on, for as long as one may take to come."""
        limits = self._limits
        if self.phase is _NEW:
            wait = limits.head_time
        else:
            self.phase = _IDLE
            wait = limits.idle_time
        self._until = self.now() + (limits.drain_linger if draining else wait)
        if self._until < self.due or self._gone is not None:
            self._set_alarm()

    def begin(self) -> float:
        """Begin the phase of a handler, which may last any time; the time it is."""
        self.phase = _HANDLER
        self._choice = "cancel"  # until its route says otherwise
        self._until = math.inf
        if self._gone is not None:
            self._set_alarm()
        return self.now()

    def limit(self, seconds: float | None) -> None:
        """Let the phase go on for *seconds* from now (None: any time)."""
        self._until = math.inf if seconds is None else self.now() + seconds
        # An alarm that comes too early finds nothing, and is set again; most are put
        # off by the next request, and cost nothing so.
        if self._until < self.due or self._gone is not None:
            self._set_alarm()

    def hurry(self, seconds: float) -> None:
        """Let the phase go on for *seconds* at most."""
        self._until = min(self._until, self.now() + seconds)
        self._set_alarm()

    def end(self) -> None:
        """Watch no longer, whatever is still heard."""
        self._ended = True
        self._alarms.drop(self)

    # The peer's leaving.

    def on_disconnect(self, choice: OnDisconnect) -> None:
        """Choose whether a handler ends when its peer leaves."""
        self._choice = choice
        self._set_alarm()

    def heard(self, gone: Gone, said: str | None = None) -> None:
        """The transport has heard the peer leave: end what nobody waits for.

        *said* is how, where there is more to say of it.
        """
        self._gone = gone
        self._said = said
        if gone is Gone.FINISHED:
            self._leave_by = self.now() + self._limits.half_close
        self._set_alarm()

    def _ends_with_peer(self) -> float:
        """When the peer's having left ends the phase; -math.inf for at once."""
        if self._gone is None or self._choice == "finish":
            return math.inf
        if self._gone is Gone.RESET:
            return -math.inf if self.phase in _HEEDING else math.inf
        # Whoever has got hold of a tunnel reads its end there.
        return self._leave_by if self.phase is Phase.HANDLER else math.inf

    # The pace of content, either way.

    def new_content(self) -> None:
        """Count the content of another request."""
        self._waited = 0.0
        self._content = 0

    def wait_for_content(self) -> None:
        """Content is waited for from now on: it must come at the least rate."""
        self._asked_at = now = self.now()
        earned = self._limits.grace + self._content / self._limits.rate
        self._read_by = now + min(earned - self._waited, self._limits.stall)
        self._set_alarm()

    def content_came(self, size: int) -> None:
        """*size* bytes have come, or none."""
        now = self.now()
        # What is more than was allowed is the loop's own lateness.
        self._waited += min(now, self._read_by) - self._asked_at
        self._read_by = math.inf
        self._content += size
        if size and self._gone is Gone.FINISHED:
            # What was sent before the end is still being read: nobody has left yet.
            self._leave_by = now + self._limits.half_close
        self._set_alarm()

    def write_begins(self) -> None:
        """A write waits for the peer from now on: it must take something."""
        now = self.now()
        self._write.begin(now)
        self._write_by = now + self._limits.look
        self._set_alarm()

    def write_ended(self) -> None:
        """The system has what was to be written."""
        self._write_by = math.inf
        self._set_alarm()

    # What comes of it.

    def evict(self) -> None:
        """End an idle connection, because others need the room."""
        self._cancel(Cause.EVICTED)

    def ring(self) -> None:
        """Some deadline has passed."""
        now = self.now()
        if self._write_by <= now and self._stalled(now):
            self._cancel(Cause.STALLED)
        elif self._read_by <= now:
            self._cancel(Cause.SLOW)
        elif self._until <= now:
            self._cancel(Cause.TIME)
        elif self._ends_with_peer() <= now:
            self._cancel(Cause.LEFT)
        else:
            self._set_alarm()

    def _stalled(self, now: float) -> bool:
        self._write_by = now + self._limits.look
        return self._write.stalled(now, self._taken(), self._limits)

    def _cancel(self, cause: Cause) -> None:
        if self.cause is not None:
            return
        self.cause = cause
        how = self._gone if cause is Cause.LEFT and self._gone else cause
        self.scope.cancel(reason=self._said or how.value)

    def _set_alarm(self) -> None:
        if self._ended:
            return
        leaves = self._ends_with_peer()
        if leaves == -math.inf:
            self._cancel(Cause.LEFT)
            return
        due = min(self._until, self._read_by, self._write_by, leaves)
        self._alarms.set(self, due)


class _Write:
    """How a write that waits for its peer gets on.

    A system tells only in large steps that there is room again, so the peer's progress
    is asked for, and only of writes that take long.
    """

    __slots__ = ("_began", "_first", "_moved_at", "_taken")

    def begin(self, now: float) -> None:
        self._began = self._moved_at = now
        self._first = self._taken = -1  # not yet asked

    def stalled(self, now: float, taken: int, limits: Limits) -> bool:
        """Whether the peer has taken nothing for too long, or far too little."""
        if self._first < 0:
            self._first = self._taken = taken
        if taken > self._taken:
            self._taken, self._moved_at = taken, now
        if now - self._moved_at >= limits.stall:
            return True
        if now - self._began < limits.stall:
            return False
        # As of its last step: a window that has closed opens in large ones only.
        seconds = self._moved_at - self._began
        least = (seconds - limits.grace - limits.look) * limits.rate
        return taken - self._first < least
