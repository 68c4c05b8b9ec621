"""Totals: the figures of several processes added up, so that no counter goes down.

Not even by what adding rounds off: for whoever reads a counter, a step down is a new
beginning from nothing.  So sums are exact, whatever the order in which workers go.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Iterator, Mapping

from trioweb.message.measures import COMBINATIONS, OTHER, Family, Series
from trioweb.run.exposition import Measured

Labels = tuple[str, ...]
Values = tuple[float, ...]

# Families, at most: a program whose every version counts under new names would
# otherwise fill the memory of a supervisor that outlives them all.
FAMILIES = 1000


class _Latest:
    """The values of one family in one process, by labels."""

    def __init__(self, family: Family) -> None:
        self.family = family
        self.values: dict[Labels, Values] = {}

    def put(self, series: Iterable[Series]) -> None:
        """Keep the newest values of *series* in the place of the older ones."""
        for each in series:
            if each.labels in self.values or len(self.values) < COMBINATIONS * 2:
                self.values[each.labels] = each.values


class _Sums:
    """The exact sums of one family over processes, by labels.

    Each is kept as a few numbers that do not overlap, as Shewchuk adds.
    """

    def __init__(self, family: Family) -> None:
        self.family = family
        self.parts: dict[Labels, list[list[float]]] = {}

    def add(self, labels: Labels, values: Iterable[Iterable[float]]) -> None:
        """Add to each sum the numbers that are given for it."""
        if labels not in self.parts and len(self.parts) >= COMBINATIONS:
            labels = (OTHER,) * len(labels)
        sums = self.parts.get(labels)
        if sums is None:
            self.parts[labels] = [list(each) for each in values]
            return
        for parts, numbers in zip(sums, values, strict=True):
            for number in numbers:
                _grow(parts, number)

    def add_all(self, more: _Sums | _Latest) -> None:
        """Add everything that *more* has."""
        if isinstance(more, _Sums):
            for labels, sums in more.parts.items():
                self.add(labels, sums)
        else:
            for labels, values in more.values.items():
                self.add(labels, [(each,) for each in values])

    def series(self) -> list[Series]:
        """The sums, each rounded once."""
        return [
            Series(labels, tuple(map(math.fsum, sums)))
            for labels, sums in sorted(self.parts.items())
        ]


def _grow(parts: list[float], number: float) -> None:
    """Add *number* to the exact sum of *parts*."""
    kept = 0
    for part in list(parts):
        small, large = sorted((number, part), key=abs)
        number = large + small
        rest = small - (number - large)
        if rest and math.isfinite(rest):
            parts[kept] = rest
            kept += 1
    parts[kept:] = [number]


class Totals:
    """Figures by the process that sent them; a process has any name."""

    def __init__(self) -> None:
        self._living: dict[Hashable, dict[str, _Latest]] = {}
        self._gone: dict[str, _Sums] = {}

    def take(self, process: Hashable, family: Family, series: list[Series]) -> None:
        """Keep what *process* has counted so far, as it says."""
        width = len(family.bounds) + 2 if family.kind == "histogram" else 1
        if any(
            len(each.values) != width or len(each.labels) != len(family.labels)
            for each in series
        ):
            return  # of no use to anybody
        families = self._living.setdefault(process, {})
        latest = families.get(family.name)
        if latest is None or latest.family != family:
            if len(families) >= FAMILIES:
                return
            latest = families[family.name] = _Latest(family)
        latest.put(series)

    def retire(self, process: Hashable) -> None:
        """Keep the counts of *process*, which is gone; what it had at hand is over."""
        for latest in self._living.pop(process, {}).values():
            if latest.family.kind != "gauge":
                _add(self._gone, latest)

    def measured(self) -> Iterator[Measured]:
        """The sums over all processes, families by their names."""
        sums: dict[str, _Sums] = {}
        # The newest last: it says what a name means now.
        everybody: list[Mapping[str, _Sums | _Latest]]
        everybody = [self._gone, *self._living.values()]
        for each in everybody:
            for one in each.values():
                _add(sums, one)
        for _, total in sorted(sums.items()):
            yield total.family, total.series()


def _add(sums: dict[str, _Sums], more: _Sums | _Latest) -> None:
    name = more.family.name
    there = sums.get(name)
    if there is None or not _alike(there.family, more.family):
        if there is None and len(sums) >= FAMILIES:
            return
        # A new version counts otherwise under the same name: begin anew.
        there = sums[name] = _Sums(more.family)
    there.family = more.family
    there.add_all(more)


def _alike(one: Family, other: Family) -> bool:
    """Whether figures of both can be added."""
    return (one.kind, one.labels, one.bounds) == (
        other.kind,
        other.labels,
        other.bounds,
    )
