"""Pace: how fast a worker works, from what it counts."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

# Signs of life over which the pace is taken: five seconds, so that it does not jump.
SIGNS = 6


@dataclass(frozen=True, slots=True)
class _Sign:
    when: float
    requests: int
    processor: float


class Pace:
    """Requests a second, and percent of a core, over the last seconds."""

    def __init__(self) -> None:
        self._signs: deque[_Sign] = deque(maxlen=SIGNS)

    def count(self, when: float, *, requests: int, processor: float) -> None:
        """A sign of life: *requests*, and seconds of a core, so far."""
        self._signs.append(_Sign(when, requests, processor))

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self._per_second(self._gained("requests"))

    @property
    def load(self) -> float:
        """Percent of one core."""
        return 100 * self._per_second(self._gained("processor"))

    def _gained(self, what: str) -> float:
        if not self._signs:
            return 0.0
        gained: float = getattr(self._signs[-1], what) - getattr(self._signs[0], what)
        return gained

    def _per_second(self, gained: float) -> float:
        seconds = self._signs[-1].when - self._signs[0].when if self._signs else 0.0
        return gained / seconds if seconds > 0 else 0.0
