"""Slopes: whether what is sampled over a long time grows."""

from __future__ import annotations

from collections.abc import Sequence

# The share of a run, from its start, that does not count: memory that is taken once
# and kept looks like growth there.
BEGINNING = 0.2


def slope(times: Sequence[float], values: Sequence[float]) -> float:
    """How much *values* grow for each unit of *times*, by least squares.

    >>> slope([0, 1, 2], [5, 7, 9])
    2.0
    """
    if len(times) < 2:
        return 0.0
    middle = sum(times) / len(times)
    level = sum(values) / len(values)
    spread = sum((time - middle) ** 2 for time in times)
    pairs = zip(times, values, strict=True)
    rise = sum((time - middle) * (value - level) for time, value in pairs)
    return rise / spread if spread else 0.0


def settled(times: Sequence[float]) -> int:
    """Where in *times*, which ascend, the beginning is over."""
    if not times:
        return 0
    end = times[0] + (times[-1] - times[0]) * BEGINNING
    return next(place for place, time in enumerate(times) if time >= end)
