"""Accounts: what a worker has counted, told to its supervisor, and back as a sum."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import trio

from trioweb.message.measures import Series
from trioweb.run.cluster.channel import Channel
from trioweb.run.cluster.messages import Counted, FromSupervisor, Report, Reported
from trioweb.run.exposition import exposition
from trioweb.run.figures import Figures

# Seconds that a supervisor may take to add up.  Later a worker answers with its own
# figures: a monitor that waits for ever would raise another alarm.
PATIENCE = 1.0

# Bytes of series in one message, which has room for more: the rest is its family.
SHEAF = 32 * 1024


class Accounts:
    """The figures of a worker, sent over *channel* as far as they have changed."""

    def __init__(self, channel: Channel[FromSupervisor]) -> None:
        self.figures = Figures()
        self._channel = channel
        self._sent: dict[tuple[str, tuple[str, ...]], tuple[float, ...]] = {}
        self._asked: _Asked | None = None
        self._tickets = 0

    def send(self) -> None:
        """Tell the supervisor what it does not know yet."""
        for family, series in self.figures.collect():
            news = []
            for each in series:
                place = family.name, each.labels
                if self._sent.get(place) != each.values:
                    self._sent[place] = each.values
                    news.append(each)
            for sheaf in _sheaves(news):
                self._channel.post(Counted(family, sheaf))

    async def report(self) -> str:
        """The figures of all workers; of this one alone if nobody adds them up."""
        self.send()
        asked = self._asked
        if asked is None:  # else whoever has asked before asks for both
            self._tickets += 1
            asked = self._asked = _Asked(self._tickets)
            self._channel.post(Report(self._tickets))
        with trio.move_on_after(PATIENCE):
            await asked.answered.wait()
        if self._asked is asked:
            self._asked = None
        if asked.answered.is_set():
            return "".join(asked.pieces)
        return exposition(self.figures.collect())

    def take(self, piece: Reported) -> None:
        """Take a piece of the supervisor's answer."""
        asked = self._asked
        if asked is not None and asked.ticket == piece.ticket:
            asked.pieces.append(piece.text)
            if piece.last:
                asked.answered.set()


class _Asked:
    def __init__(self, ticket: int) -> None:
        self.ticket = ticket
        self.pieces: list[str] = []
        self.answered = trio.Event()


def _sheaves(series: Iterable[Series]) -> Iterator[list[Series]]:
    """*series* in lists that each fit into a message."""
    sheaf: list[Series] = []
    size = 0
    for each in series:
        # A number has at most 9 bytes, a character 4.
        cost = 8 + 9 * len(each.values) + sum(4 * len(one) + 3 for one in each.labels)
        if sheaf and size + cost > SHEAF:
            yield sheaf
            sheaf, size = [], 0
        sheaf.append(each)
        size += cost
    if sheaf:
        yield sheaf
