"""Allowance: so much at once, and so much a second on the average."""

from __future__ import annotations


class Allowance:
    """What somebody may use of something; full to begin with.

    *what* is for people to read; at most *most* is left, and *rate* a second is added.
    """

    __slots__ = ("_at", "_left", "_most", "_rate", "what")

    def __init__(self, what: str, most: float, rate: float) -> None:
        self.what = what
        self._most = most
        self._rate = rate
        self._left = most
        self._at: float | None = None  # when that was so; None: always so far

    def take(self, now: float, cost: float = 1.0) -> bool:
        """Whether there was as much as *cost* left; if so, it is taken.

        *now* in seconds, of a clock that does not go back.

        >>> twice = Allowance("doors opened", 2, 0.5)
        >>> [twice.take(now) for now in (0, 0, 0, 1, 2)]
        [True, True, False, False, True]
        """
        if self._at is not None:
            filled = self._left + (now - self._at) * self._rate
            self._left = min(self._most, filled)
        self._at = now
        if self._left < cost:
            return False
        self._left -= cost
        return True

    def give(self, amount: float) -> None:
        """Add *amount*, as far as there is room."""
        self._left = min(self._most, self._left + amount)
