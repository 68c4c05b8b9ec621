"""Measures: what an application counts, for whoever watches it from outside.

Each worker counts by itself; the server adds up what its workers have counted, those
that are gone too, and says it in the form that Prometheus reads.
"""

from __future__ import annotations

import itertools
import math
import re
from bisect import bisect_left
from collections.abc import Iterable
from typing import Literal

import msgspec

from trioweb.message.errors import SetupError

Kind = Literal["counter", "gauge", "histogram"]

# Upper ends of a histogram's buckets, seconds: those that Prometheus' own libraries
# have, and two below them, for a handler that only computes answers in less than the
# first.
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

# Combinations of labels that are counted apart.  Each is kept for ever, and sent to
# whoever asks; what peers choose has no end.
COMBINATIONS = 1000

# What the labels of all further ones are.
OTHER = "other"

# Characters of a label's value: the longest pattern of a route; labels are few, too.
LABEL = 128
LABELS = 8

# Characters of a description: a sentence or two.
DESCRIPTION = 1000

# Buckets of one histogram.
BUCKETS = 50

# Names as Prometheus has them; those that begin so are the server's own.
_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{,127}", re.ASCII)
_OURS = ("trioweb_", "http_", "__")


class Family(msgspec.Struct, frozen=True):
    """What is measured, under one name: how it is to be read, and by what it differs.

    *bounds* are the upper ends of a histogram's buckets.
    """

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()


class Series(msgspec.Struct, frozen=True, array_like=True):
    """The figures for one combination of labels.

    One value; of a histogram how many fell into each bucket, into none, and their sum.
    """

    labels: tuple[str, ...]
    values: tuple[float, ...]


class Measure:
    """One family, counted in this process; made by an App."""

    def __init__(self, family: Family, width: int) -> None:
        self.family = family
        self._width = width
        self._values: dict[tuple[str, ...], list[float]] = {}

    def series(self) -> list[Series]:
        """What is counted so far."""
        return [Series(each, tuple(values)) for each, values in self._values.items()]

    def _at(self, labels: dict[str, object]) -> list[float]:
        names = self.family.labels
        if len(labels) != len(names) or any(name not in labels for name in names):
            msg = f"{self.family.name} has the labels {names}, not {tuple(labels)}"
            raise TypeError(msg)
        key = tuple([str(labels[name])[:LABEL] for name in names])
        values = self._values.get(key)
        if values is None:
            if len(self._values) >= COMBINATIONS:
                key = (OTHER,) * len(names)
            values = self._values.setdefault(key, [0.0] * self._width)
        return values


class Counter(Measure):
    """Something that is counted and only grows; ``App.counter`` makes it."""

    def __init__(self, name: str, help: str, labels: Iterable[str] = ()) -> None:  # noqa: A002  # as Prometheus says it
        super().__init__(_checked(Family(name, "counter", help, tuple(labels))), 1)

    def add(self, amount: float = 1, /, **labels: object) -> None:
        """Count *amount* more, for these labels; ValueError if it is less than 0."""
        if not 0 <= amount < math.inf:
            msg = f"{self.family.name} only grows, not by {amount!r}"
            raise ValueError(msg)
        self._at(labels)[0] += amount


class Histogram(Measure):
    """How values are spread over buckets; ``App.histogram`` makes it."""

    def __init__(
        self,
        name: str,
        help: str,  # noqa: A002  # as Prometheus says it
        labels: Iterable[str] = (),
        bounds: Iterable[float] = SECONDS,
    ) -> None:
        ends = tuple(map(float, bounds))
        family = Family(name, "histogram", help, tuple(labels), ends)
        super().__init__(_checked(family), len(ends) + 2)
        self._bounds = ends

    def observe(self, value: float, /, **labels: object) -> None:
        """Count one more *value*, for these labels; ValueError for what is no number.

        A value that is just at the end of a bucket is in it.
        """
        if not math.isfinite(value):
            msg = f"{self.family.name} takes numbers, not {value!r}"
            raise ValueError(msg)
        values = self._at(labels)
        values[bisect_left(self._bounds, value)] += 1
        values[-1] += value


def _checked(family: Family) -> Family:
    """*family*; SetupError, with the remedy, if it cannot be told to Prometheus."""
    name, bounds = family.name, family.bounds
    if not _NAME.fullmatch(name) or name.startswith(_OURS):
        msg = (
            f"{name!r} cannot be the name of a measure; use letters, digits and _, and "
            f"begin with none of {', '.join(_OURS)}"
        )
        raise SetupError(msg)
    for label in family.labels:
        if not _NAME.fullmatch(label) or label.startswith("__") or label == "le":
            msg = f"{name}: {label!r} cannot be a label; use letters, digits and _"
            raise SetupError(msg)
    if len(set(family.labels)) != len(family.labels) or len(family.labels) > LABELS:
        msg = f"{name}: give at most {LABELS} labels, each of them once"
        raise SetupError(msg)
    if len(family.help) > DESCRIPTION:
        msg = f"{name}: describe it in at most {DESCRIPTION} characters"
        raise SetupError(msg)
    if family.kind == "histogram" and not (
        0 < len(bounds) <= BUCKETS
        and all(map(math.isfinite, bounds))
        and all(one < other for one, other in itertools.pairwise(bounds))
    ):
        msg = f"{name}: give from 1 to {BUCKETS} bounds, each above the one before"
        raise SetupError(msg)
    return family
