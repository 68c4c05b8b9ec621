"""Clock: the time that sessions in a file are measured by; it never goes back."""

from __future__ import annotations

from collections.abc import Callable

import trio

Wall = Callable[[], float]
"""A clock that can be set: seconds since the epoch."""

# The last time that is believed, seconds since the epoch (the year 5138).  Later than
# that a float no longer tells when a session was used.
LATEST = 1e11


class Clock:
    """Now, in seconds since the epoch or later: it never goes back, nor stands still.

    It follows *wall*, which another process or another run of this one reads too, and
    the event loop's clock where *wall* was set back.  So who sets the clock can end
    sessions early and make none live longer.
    """

    def __init__(self, wall: Wall) -> None:
        self._wall = wall
        self._floor = 0.0  # what it was, at least, ...
        self._at = trio.current_time()  # ... when the event loop's clock said this

    def __call__(self) -> float:
        """Now."""
        at = trio.current_time()
        passed = self._floor + (at - self._at)
        wall = min(self._wall(), LATEST)
        if wall <= passed:
            return passed
        self._floor, self._at = wall, at
        return wall

    def lift(self, floor: float) -> None:
        """Learn that it is *floor* at least: another process has seen it."""
        if self() < floor:
            self._floor, self._at = floor, trio.current_time()
