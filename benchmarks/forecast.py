"""Forecast: how long a comparison takes, before it begins and while it runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

# Seconds: to start a server and end it, of the load before the first that counts, to
# start the generator, and to make connections, look at them, and start the next server.
START = 1.5
WARM_UP = 1
BETWEEN = 0.4
HOLDING = 6.0


def of_load(servers: int, rounds: int, seconds: float) -> float:
    """Seconds that a load of so many *seconds* takes in all."""
    return servers * (START + WARM_UP + rounds * (seconds + BETWEEN))


def of_hold(servers: int, rounds: int) -> float:
    """Seconds that it takes to hold connections of so many servers."""
    return servers * rounds * HOLDING


@dataclass(slots=True)
class Forecast:
    """How much of *expected* seconds is left, by what has been done so far."""

    expected: float
    clock: Callable[[], float] = time.monotonic
    done: float = 0.0  # seconds of those expected
    _began: float = field(init=False)

    def __post_init__(self) -> None:
        self._began = self.clock()

    def add(self, seconds: float) -> None:
        """What was expected to take so many *seconds* is done."""
        self.done += seconds

    def __str__(self) -> str:
        share = min(1.0, self.done / self.expected) if self.expected else 1.0
        pace = (self.clock() - self._began) / self.done if self.done else 1.0
        left = max(0.0, self.expected - self.done) * pace
        return f"{share:4.0%}, {span(left)} left"


def span(seconds: float) -> str:
    """A length of time in the units that people think in.

    >>> span(42), span(300), span(5000)
    ('42 s', '5 min', '1 h 23 min')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
