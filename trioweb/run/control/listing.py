"""The listing: a supervisor and its workers, as whoever asks is told of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import trio

from trioweb.run.cluster.supervisor import Supervisor
from trioweb.run.cluster.views import WorkerView
from trioweb.run.control.protocol import Listing, Worker


@dataclass(frozen=True, slots=True)
class Server:
    """What is to be looked at and told what to do, and what it is called."""

    name: str
    supervisor: Supervisor
    began: float = field(default_factory=trio.current_time)


def listing(server: Server) -> Listing:
    """What there is now."""
    plan, config = server.supervisor.plan, server.supervisor.config
    return Listing(
        name=server.name,
        pid=os.getpid(),
        target=server.supervisor.target,
        urls=server.supervisor.urls,
        size=plan.size,
        uptime=trio.current_time() - server.began,
        stopping=server.supervisor.leaving or plan.stopping,
        patience=config.drain_delay + config.grace + config.cleanup,
        directory=str(Path.cwd()),
        # The interpreter by its path: it may have been found by a name.
        command=[sys.executable, *sys.orig_argv[1:]],
        workers=sorted(
            [*map(_worker, server.supervisor.workers), *_missing(server.supervisor)],
            key=lambda each: each.worker,
        ),
    )


def _worker(view: WorkerView) -> Worker:
    return Worker(
        worker=view.slot,
        pid=view.pid,
        state=view.state.value,
        uptime=view.uptime,
        restarts=view.restarts,
        connections=view.connections,
        requests=view.requests,
        rate=view.rate,
        cpu=view.load,
        memory=view.memory,
    )


def _missing(supervisor: Supervisor) -> Iterator[Worker]:
    """The places that have no worker now, because the last one did not start."""
    for slot, place in supervisor.plan.places.items():
        if place.current is None:
            yield Worker(
                worker=slot,
                restarts=max(0, place.started - 1),
                fault=place.fault,
            )
