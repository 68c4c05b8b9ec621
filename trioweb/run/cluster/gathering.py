"""Gathering: the figures of all workers in one report, those of the dead among them."""

from __future__ import annotations

import math
from collections import Counter as Counts
from collections.abc import Iterable, Iterator

import trio

from trioweb.message.measures import Family, Series
from trioweb.run.cluster.members import State
from trioweb.run.cluster.messages import Counted, Report, Reported
from trioweb.run.cluster.process import Process
from trioweb.run.exposition import Measured, exposition
from trioweb.run.totals import Totals

WORKERS = Family(
    "trioweb_workers", "gauge", "Workers there are, by what they do.", ("state",)
)
STARTED = Family(
    "trioweb_worker_starts_total", "counter", "Workers that were started so far."
)
LOST = Family(
    "trioweb_worker_losses_total",
    "counter",
    "Workers that ended, or had to be ended, without having been asked to.",
)
MISSED = Family(
    "trioweb_topic_messages_missed_total",
    "counter",
    "Messages of topics that were lost to a worker because it was behind.",
)

# Characters of a report in one message: in UTF-8, at the worst, as many as fit.
PIECE = 16 * 1024


# Seconds for which a report is told again as it was: workers tell theirs once a second,
# and no crowd of monitors is to keep a supervisor from its work.
FRESH = 0.25


class Gathering:
    """What the workers have counted, and what the supervisor counts of them."""

    def __init__(self) -> None:
        self.started = 0
        self.lost = 0
        self._totals = Totals()
        self._told = ""
        self._until = -math.inf

    def take(self, process: Process, counted: Counted) -> None:
        """Keep what *process* says it has counted."""
        self._totals.take(process.number, counted.family, counted.series)

    def retire(self, process: Process, state: State) -> None:
        """Take note that *process* is gone, which was in this state."""
        self._totals.retire(process.number)
        self.lost += state is not State.DRAINING

    def text(self, states: Iterable[State], missed: int) -> str:
        """Everything, in Prometheus' text form."""
        now = trio.current_time()
        if now >= self._until:
            everything = [*self._totals.measured(), *self._own(states, missed)]
            self._told = exposition(everything)
            self._until = now + FRESH
        return self._told

    def _own(self, states: Iterable[State], missed: int) -> Iterator[Measured]:
        there = Counts(states)
        workers = [Series((each.value,), (float(there[each]),)) for each in State]
        yield WORKERS, workers
        for family, value in (
            (STARTED, self.started),
            (LOST, self.lost),
            (MISSED, missed),
        ):
            yield family, [Series((), (float(value),))]


def send(process: Process, asked: Report, text: str) -> None:
    """Send *text* to the worker that has asked for it."""
    for at in range(0, len(text), PIECE):
        piece, last = text[at : at + PIECE], at + PIECE >= len(text)
        process.channel.post(Reported(asked.ticket, piece, last=last))
