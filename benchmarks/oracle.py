"""The oracle: whether a server has stood an attack, and if not, why."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.attacks.tally import HELD, LEFT, Tally
from benchmarks.system import Usage

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What an attack may cost; times of the canary in ms, memory in bytes.

    *endings* are how connections may end, besides standing to the end and leaving of
    themselves; *longest* is how many seconds one may stand, *shortest* how many it must
    before the server ends it.  *complete* is how many must have been made.

    *canary_p99* is over the whole attack, *canary_p999* and *canary_most* are over the
    time from which on all peers were there: who comes along with 2000 others waits in
    line with them.  Where it *refuses*, the canary counts only afterwards.
    """

    endings: frozenset[str] = frozenset()
    longest: float = math.inf
    shortest: float = 0.0
    complete: int = 1
    canary_p99: float = 50.0
    canary_p999: float = math.inf
    canary_most: float = 100.0
    refuses: bool = False
    memory: int = 8 * MIB


@dataclass(frozen=True, slots=True)
class Holding:
    """What a server holds at one moment, seen from outside and from inside."""

    usage: Usage
    tasks: int
    threads: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """How many seconds an attack took, and what became of the server's core in them.

    *processor* are those the server used, *disturbed* those in which it was ready to
    run and others had it: where they are many, the machine was busy with other things.
    """

    seconds: float
    processor: float
    disturbed: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What was seen of one attack; *waits* are the canary's, None for a failure.

    The first *opening* of them came before all peers were there, the last *afterwards*
    when all of them had gone.
    """

    before: Holding
    peak: Usage
    after: Holding
    tally: Tally
    waits: Sequence[float | None]
    tracebacks: int
    cost: Cost
    opening: int = 0
    afterwards: int = 0

    @property
    def answered(self) -> list[float]:
        """The canary's milliseconds, where it was answered."""
        return _answered(self.waits)

    @property
    def held(self) -> list[float]:
        """The same from when on all peers were there."""
        return _answered(self.waits[self.opening :])


def _answered(waits: Sequence[float | None]) -> list[float]:
    return sorted(wait for wait in waits if wait is not None)


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value below which *share* of *ordered* lies; not a number if it is empty."""
    if not ordered:
        return math.nan
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def faults(figures: Figures, bounds: Bounds) -> list[str]:
    """Every bound that was broken, in words; none of them is a PASS."""
    return [
        *_of_the_canary(figures, bounds),
        *_of_the_endings(figures.tally, bounds),
        *_of_what_is_held(figures, bounds),
    ]


def _of_the_canary(figures: Figures, bounds: Bounds) -> list[str]:
    found = []
    first = len(figures.waits) - figures.afterwards if bounds.refuses else 0
    waits = figures.waits[first:]
    failed = waits.count(None)
    if failed or not waits:
        found.append(f"the canary got no answer {failed} times")
    if bounds.refuses:
        return found
    for name, wait, bound in (
        ("p99", quantile(figures.answered, 0.99), bounds.canary_p99),
        ("p99.9", quantile(figures.held, 0.999), bounds.canary_p999),
        ("longest wait", quantile(figures.held, 1), bounds.canary_most),
    ):
        if wait > bound:
            found.append(f"the canary's {name} is {wait:.0f} ms, over {bound:.0f}")
    return found


def _of_the_endings(tally: Tally, bounds: Bounds) -> list[str]:
    found = []
    if tally.opened < bounds.complete:
        found.append(f"{tally.opened} connections, not {bounds.complete}")
    if other := tally.others(bounds.endings | {HELD, LEFT}):
        endings = ", ".join(f"{ending} ×{count}" for ending, count in other.items())
        found.append(f"endings that should not be: {endings}")
    if tally.longest > bounds.longest:
        found.append(f"held {tally.longest:.1f} s, over {bounds.longest:g}")
    if tally.shortest is not None and tally.shortest < bounds.shortest:
        found.append(f"ended at {tally.shortest:.1f} s, before {bounds.shortest:g}")
    return found


def _of_what_is_held(figures: Figures, bounds: Bounds) -> list[str]:
    found = []
    before, after = figures.before, figures.after
    growth = figures.peak.rss - before.usage.rss
    if growth > bounds.memory:
        found.append(f"memory +{growth / MIB:.0f} MiB, over {bounds.memory / MIB:.0f}")
    for name, then, now in (
        ("tasks", before.tasks, after.tasks),
        ("descriptors", before.usage.descriptors, after.usage.descriptors),
        ("threads", before.threads, after.threads),
    ):
        if now > then:
            found.append(f"{name} {then} before, {now} after")
    if figures.tracebacks:
        found.append(f"{figures.tracebacks} tracebacks in the log")
    return found
