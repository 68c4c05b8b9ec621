"""Totals: the figures of several processes added up, so that no counter goes down."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator

from trioweb.message.measures import COMBINATIONS, OTHER, Family, Series
from trioweb.run.exposition import Measured

Labels = tuple[str, ...]
Values = tuple[float, ...]

# Families, at most: a program whose every version counts under new names would
# otherwise fill the memory of a supervisor that outlives them all.
FAMILIES = 1000


class _Sums:
    """The values of one family, by labels."""

    def __init__(self, family: Family) -> None:
        self.family = family
        self.values: dict[Labels, Values] = {}

    def put(self, series: Iterable[Series]) -> None:
        """Keep the newest values of *series* in the place of the older ones."""
        for each in series:
            if each.labels in self.values or len(self.values) < COMBINATIONS * 2:
                self.values[each.labels] = each.values

    def add(self, labels: Labels, values: Values) -> None:
        """Add *values* to what there is."""
        if labels not in self.values and len(self.values) >= COMBINATIONS:
            labels = (OTHER,) * len(labels)
        before = self.values.get(labels)
        if before is not None:
            values = tuple(a + b for a, b in zip(before, values, strict=True))
        self.values[labels] = values


class Totals:
    """Figures by the process that sent them; a process has any name."""

    def __init__(self) -> None:
        self._living: dict[Hashable, dict[str, _Sums]] = {}
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
        sums = families.get(family.name)
        if sums is None or sums.family != family:
            if len(families) >= FAMILIES:
                return
            sums = families[family.name] = _Sums(family)
        sums.put(series)

    def retire(self, process: Hashable) -> None:
        """Keep the counts of *process*, which is gone; what it had at hand is over."""
        for sums in self._living.pop(process, {}).values():
            if sums.family.kind != "gauge":
                _add(self._gone, sums)

    def measured(self) -> Iterator[Measured]:
        """The sums over all processes, families by their names."""
        sums: dict[str, _Sums] = {}
        # The newest last: it says what a name means now.
        for each in (self._gone, *self._living.values()):
            for one in each.values():
                _add(sums, one)
        for _, one in sorted(sums.items()):
            yield one.family, [Series(*pair) for pair in sorted(one.values.items())]


def _add(sums: dict[str, _Sums], more: _Sums) -> None:
    name = more.family.name
    there = sums.get(name)
    if there is None or not _alike(there.family, more.family):
        if there is None and len(sums) >= FAMILIES:
            return
        # A new version counts otherwise under the same name: begin anew.
        there = sums[name] = _Sums(more.family)
    there.family = more.family
    for labels, values in more.values.items():
        there.add(labels, values)


def _alike(one: Family, other: Family) -> bool:
    """Whether figures of both can be added."""
    return (one.kind, one.labels, one.bounds) == (
        other.kind,
        other.labels,
        other.bounds,
    )
