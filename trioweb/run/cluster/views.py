"""Views: what is known of one worker, for whoever looks at the server."""

from __future__ import annotations

from dataclasses import dataclass

import trio

from trioweb.run.cluster.members import State
from trioweb.run.cluster.plan import Plan
from trioweb.run.cluster.process import Process


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerView:
    """What is known of one worker now."""

    slot: int
    pid: int
    state: State
    uptime: float  # seconds
    restarts: int  # of its slot
    connections: int  # open
    requests: int  # so far
    rate: float  # requests a second, over the last seconds
    memory: int  # bytes in RAM
    processor: float  # seconds of a core so far
    load: float  # percent of a core, over the last seconds


def view_of(process: Process, plan: Plan) -> WorkerView:
    """What is known of *process*, which is one of the *plan*."""
    place = plan.places.get(process.slot)
    return WorkerView(
        slot=process.slot,
        pid=process.pid,
        state=plan.members[process.number].state,
        uptime=trio.current_time() - process.began,
        restarts=0 if place is None else place.started - 1,
        connections=process.beat.connections,
        requests=process.beat.requests,
        rate=process.pace.rate,
        memory=process.beat.memory,
        processor=process.beat.processor,
        load=process.pace.load,
    )
