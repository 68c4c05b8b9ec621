"""Figures: what one process counts of its exchanges and itself.

An exchange costs one look-up: which counts it belongs to is decided when its route is
seen for the first time.  Only patterns of routes are told apart, never paths, and only
so many: what peers choose has no end.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import Counter as Counts
from collections.abc import Callable, Iterable

import trio

from trioweb.message.exchange import Ending, Exchanged
from trioweb.message.measures import (
    COMBINATIONS,
    LABEL,
    OTHER,
    SECONDS,
    Family,
    Measure,
    Series,
)
from trioweb.rules.methods import REGISTERED
from trioweb.run.exposition import Measured, exposition

# Combinations as they come that are remembered: those of labels, each with a handful of
# statuses.  What is beyond is looked up by its labels, which is slower.
REMEMBERED = 4 * COMBINATIONS

_BY_ROUTE = ("method", "route")

REQUESTS = Family(
    "http_requests_total",
    "counter",
    "Requests that were answered, by the class of the status; none: not at all.",
    (*_BY_ROUTE, "status"),
)
TIMES = Family(
    "http_request_duration_seconds",
    "histogram",
    "From the last byte of a request's head to the end of its answer.",
    _BY_ROUTE,
    SECONDS,
)
RECEIVED = Family(
    "http_request_body_bytes_total",
    "counter",
    "Content that was received with requests.",
    _BY_ROUTE,
)
SENT = Family(
    "http_response_bytes_total",
    "counter",
    "What was sent in answer: heads, framing and content.",
    _BY_ROUTE,
)
UNFINISHED = Family(
    "http_unfinished_requests_total",
    "counter",
    "Requests that did not end as they should, and why.",
    ("ending",),
)
PROCESSOR = Family(
    "trioweb_cpu_seconds_total", "counter", "Seconds of a core that workers have used."
)


class _Row:
    """The counts of one method, route and class of status."""

    __slots__ = ("buckets", "key", "received", "seconds", "sent")

    def __init__(self, key: tuple[str, str, str]) -> None:
        self.key = key
        self.buckets = [0] * (len(SECONDS) + 1)
        self.seconds = 0.0
        self.received = 0
        self.sent = 0


class Figures:
    """The counts of one process; *requests* is how many exchanges there were."""

    def __init__(self) -> None:
        self.requests = 0
        self._rows: dict[tuple[str, str, str], _Row] = {}
        self._found: dict[tuple[str, int | None, str | None], _Row] = {}
        self._unfinished: Counts[str] = Counts()
        self._measures: list[Measure] = []
        self._watched: list[tuple[Family, Callable[[], float]]] = []

    def record(self, exchanged: Exchanged) -> None:
        """Count an exchange that is over."""
        self.requests += 1
        found = (exchanged.method, exchanged.status, exchanged.route)
        row = self._found.get(found) or self._row(found)
        row.buckets[bisect_left(SECONDS, exchanged.seconds)] += 1
        row.seconds += exchanged.seconds
        row.received += exchanged.received
        row.sent += exchanged.sent
        if exchanged.ending is not Ending.COMPLETE:
            self._unfinished[exchanged.ending.value] += 1

    def include(self, measures: Iterable[Measure]) -> None:
        """Tell also these, which the application counts."""
        self._measures += measures

    def watch(self, family: Family, value: Callable[[], float]) -> None:
        """Tell also *value*, as it is when somebody asks."""
        self._watched.append((family, value))

    def collect(self) -> list[Measured]:
        """All that was counted, by families."""
        families = [*self._exchanges()]
        families.append((PROCESSOR, [Series((), (time.process_time(),))]))
        families += [(f, [Series((), (float(value()),))]) for f, value in self._watched]
        families += [(each.family, each.series()) for each in self._measures]
        return families

    async def report(self) -> str:
        """The same in the form that monitors read: where there is only this process."""
        await trio.lowlevel.checkpoint()
        return exposition(self.collect())

    def _row(self, found: tuple[str, int | None, str | None]) -> _Row:
        method, status, route = found
        key = (
            method if method in REGISTERED else OTHER,
            (route or "")[:LABEL],
            "none" if status is None else f"{status // 100}xx",
        )
        if key not in self._rows and len(self._rows) >= COMBINATIONS:
            key = (key[0], OTHER, key[2])
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = _Row(key)
        if len(self._found) < REMEMBERED:
            self._found[found] = row
        return row

    def _exchanges(self) -> Iterable[Measured]:
        rows = list(self._rows.values())
        yield REQUESTS, [Series(row.key, (float(sum(row.buckets)),)) for row in rows]
        times: dict[tuple[str, str], list[float]] = {}
        received: Counts[tuple[str, str]] = Counts()
        sent: Counts[tuple[str, str]] = Counts()
        for row in rows:
            by = row.key[:2]
            values = [*map(float, row.buckets), row.seconds]
            sums = times.setdefault(by, [0.0] * len(values))
            times[by] = [a + b for a, b in zip(sums, values, strict=True)]
            received[by] += row.received
            sent[by] += row.sent
        yield TIMES, [Series(by, tuple(values)) for by, values in times.items()]
        for family, counts in ((RECEIVED, received), (SENT, sent)):
            yield family, [Series(by, (float(n),)) for by, n in counts.items()]
        ends = self._unfinished.items()
        yield UNFINISHED, [Series((ending,), (float(n),)) for ending, n in ends]
