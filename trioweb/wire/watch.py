"""Watch: the clock and the peer's leaving, which may end what a connection is doing.

One cancel scope stands around all that a connection does, and its deadline is moved as
that goes through its phases.  A scope that has fired cannot be used again, so whatever
ends one ends the loop inside it.
"""

from __future__ import annotations

import enum
import math

import trio

from trioweb.message.exchange import OnDisconnect
from trioweb.message.transport import Gone


class Phase(enum.Enum):
    """What the connection waits for."""

    NEW = enum.auto()  # its first request
    IDLE = enum.auto()  # another one
    HEAD = enum.auto()  # the rest of a request's head
    HANDLER = enum.auto()  # the application, which may read and write as it likes
    ANSWERING = enum.auto()  # the peer, to take an answer that is all at hand
    TUNNEL = enum.auto()  # whatever HTTP has given way to


class Watch:
    """The scope of one connection, and what may cancel it in each phase."""

    __slots__ = (
        "_choice",
        "_half_close",
        "_leave_by",
        "_until",
        "phase",
        "scope",
    )

    def __init__(self, half_close: float) -> None:
        self.scope = trio.CancelScope()
        self.phase = Phase.NEW
        self._half_close = half_close  # seconds a handler has left after a FIN
        self._until = math.inf  # when this phase must be over
        self._choice: OnDisconnect = "cancel"
        self._leave_by = math.inf  # until when the peer can be thought to listen

    @property
    def peer_left(self) -> bool:
        """Whether it is the peer's leaving, and not the clock, that ends a phase."""
        return self._choice == "cancel" and self._leave_by <= trio.current_time()

    def enter(self, phase: Phase, seconds: float | None = None) -> None:
        """Begin *phase*, which may last *seconds* (None: any time)."""
        self.phase = phase
        self._choice = "cancel"
        self.limit(seconds)

    def limit(self, seconds: float | None) -> None:
        """Let the phase go on for *seconds* from now (None: any time)."""
        self._until = math.inf if seconds is None else trio.current_time() + seconds
        self._set_deadline()

    def hurry(self, seconds: float) -> None:
        """Let the phase go on for *seconds* at most."""
        self._until = min(self._until, trio.current_time() + seconds)
        self._set_deadline()

    def on_disconnect(self, choice: OnDisconnect) -> None:
        """Choose whether a handler ends when its peer leaves."""
        self._choice = choice
        self._set_deadline()

    def heard(self, gone: Gone) -> None:
        """The transport has heard the peer leave: end what nobody waits for."""
        if gone is Gone.FINISHED:
            self._leave_by = trio.current_time() + self._half_close
        else:
            self._leave_by = -math.inf
            if self._ends_with_peer():
                self.scope.cancel(reason=gone.value)
        self._set_deadline()

    def _ends_with_peer(self) -> bool:
        return self.phase is Phase.HANDLER and self._choice == "cancel"

    def _set_deadline(self) -> None:
        until = self._until
        if self._ends_with_peer():
            until = min(until, self._leave_by)
        if until != self.scope.deadline:  # moving it costs 2 µs
            self.scope.deadline = until
