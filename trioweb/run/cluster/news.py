"""News: what one worker publishes, passed on to all the others."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable

import trio

from trioweb.run.cluster.channel import encode
from trioweb.run.cluster.messages import Published
from trioweb.run.cluster.process import Process

log = logging.getLogger("trioweb.error")

# Seconds between two lines about the same worker: it may be behind for long.
AGAIN = 10.0


class News:
    """Passes news on, waiting for nobody; *dropped* counts what was lost on the way."""

    def __init__(self) -> None:
        self.dropped = 0
        self._known: dict[int, int] = {}  # lost, by the process that was behind
        self._told: dict[int, float] = {}

    def pass_on(
        self, sender: Process, news: Published, processes: Iterable[Process]
    ) -> None:
        """Leave *news* of *sender* for every other process."""
        data = encode(news)
        for process in processes:
            if process is not sender:
                process.channel.pass_on(data)

    def begin(self, process: Process) -> None:
        """Take note that *process* serves: what it has missed so far was not for it."""
        self._known[process.number] = process.channel.news.dropped

    def look(self, process: Process) -> None:
        """Tell that *process*, which serves, has lost news, though not too often."""
        lost = process.channel.news.dropped - self._known.get(process.number, 0)
        since = trio.current_time() - self._told.get(process.number, -math.inf)
        if lost and since >= AGAIN:
            self._known[process.number] = process.channel.news.dropped
            self._told[process.number] = trio.current_time()
            self.dropped += lost
            log.warning(
                "worker %d (pid %d) was behind: it has missed %d messages of topics",
                *(process.slot, process.pid, lost),
            )

    def forget(self, process: Process) -> None:
        """Take note that *process* is gone."""
        known = self._known.pop(process.number, 0)
        self.dropped += process.channel.news.dropped - known
        self._told.pop(process.number, None)
