"""Timer: something to do once a moment has passed, by the alarms of the loop."""

from __future__ import annotations

import math
from collections.abc import Callable

import trio

from trioweb.wire.alarms import Alarms


class Timer:
    """Calls *ring* once its time is over; that must not block."""

    __slots__ = ("_alarms", "_ring", "due", "slot")

    def __init__(self, alarms: Alarms, ring: Callable[[], None]) -> None:
        self._alarms = alarms
        self._ring = ring
        self.due = math.inf
        self.slot = 0

    def start(self, seconds: float) -> None:
        """Ring in *seconds*, instead of when was said before."""
        self._alarms.set(self, trio.current_time() + seconds)

    def stop(self) -> None:
        """Do not ring."""
        self.due = math.inf
        self._alarms.drop(self)

    def ring(self) -> None:
        """The time is over."""
        self._ring()
