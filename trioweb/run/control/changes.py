"""Changes: a reload, restart, scaling or stop is asked for, and its end waited for.

The supervisor goes on with them whether anybody waits or not.
"""

from __future__ import annotations

from collections.abc import Callable

import trio

from trioweb.run.cluster.members import Place, State
from trioweb.run.cluster.plan import KILLED, Plan
from trioweb.run.cluster.supervisor import Supervisor
from trioweb.run.config import MOST
from trioweb.run.control.protocol import (
    Done,
    Refused,
    Reload,
    Restart,
    Scale,
    Stop,
)
from trioweb.run.listeners import BindError

Change = Reload | Restart | Scale | Stop

_STOPPING = "the server is stopping"


async def make(supervisor: Supervisor, change: Change) -> Done | Refused:
    """Ask for a change, and say what came of it."""
    match change:
        case Reload():
            return await _reload(supervisor)
        case Restart(worker):
            return await _restart(supervisor, worker)
        case Scale(size):
            return await _scale(supervisor, size)
        case Stop():
            return await _stop(supervisor)


async def _reload(supervisor: Supervisor) -> Done | Refused:
    """Replace every worker by one with the code and settings of now."""
    plan, began = supervisor.plan, trio.current_time()
    old = set(plan.members)
    waiting = _Waiting(supervisor)
    supervisor.reload()
    generation = plan.queue.generation

    def replaced() -> bool:
        return all(_serves(each, generation) for each in plan.places.values())

    if (fault := await waiting.until(replaced)) is not None:
        return Refused(fault)
    text = f"{_workers(plan.size)} replaced in {trio.current_time() - began:.1f} s"
    return Done(text + _leaving(len(old & plan.members.keys())))


async def _restart(supervisor: Supervisor, slot: int) -> Done | Refused:
    """Replace the worker of one slot."""
    plan, began = supervisor.plan, trio.current_time()
    if (place := plan.places.get(slot)) is None:
        return Refused(no_such(plan, slot))
    waiting = _Waiting(supervisor)
    old = place.current
    supervisor.restart(slot)

    def replaced() -> bool:
        return place.current is not old and _serves(place)

    if (fault := await waiting.until(replaced)) is not None:
        return Refused(fault)
    text = f"worker {slot} replaced in {trio.current_time() - began:.1f} s"
    left = old is not None and old.number in plan.members
    return Done(text + _leaving(int(left)))


async def _scale(supervisor: Supervisor, size: int) -> Done | Refused:
    """Have *size* workers."""
    plan = supervisor.plan
    if not 1 <= size <= MOST:
        return Refused(f"{size} workers cannot be had; give a number from 1 to {MOST}")
    before = plan.size
    waiting = _Waiting(supervisor)
    try:
        supervisor.scale(size)
    except BindError as error:
        return Refused(str(error))

    def scaled() -> bool:
        return set(plan.places) == set(range(plan.size)) and all(
            map(_serves, plan.places.values())
        )

    if (fault := await waiting.until(scaled)) is not None:
        return Refused(fault)
    return Done(f"{_workers(size)}, {_compared(size, before)}")


async def _stop(supervisor: Supervisor) -> Done:
    """Stop gracefully; asked for again, at once."""
    supervisor.stop()
    while not supervisor.plan.finished:
        await supervisor.changes.park()
    return Done("stopped")


def no_such(plan: Plan, slot: int) -> str:
    """Why a worker that there is not cannot be had."""
    if plan.stopping:
        return _STOPPING
    numbers = (
        "the only one is 0" if plan.size == 1 else f"they are 0 to {plan.size - 1}"
    )
    return f"there is no worker {slot}; {numbers}"


class _Waiting:
    """For the end of what is asked for after this was made."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._plan = supervisor.plan
        self._given_up = self._plan.queue.given_up
        # Those that did not start before are not what was asked for.
        self._failures = {
            slot: each.failures for slot, each in self._plan.places.items()
        }

    async def until(self, done: Callable[[], bool]) -> str | None:
        """Wait until it is *done*, or else will not be: the reason."""
        while True:
            if self._plan.stopping or self._supervisor.leaving:
                return _STOPPING
            if self._plan.queue.given_up > self._given_up:
                return self._plan.queue.fault
            if done():
                return None
            for slot, place in self._plan.places.items():
                if self._fails(slot, place):
                    return f"worker {slot} does not start: {place.fault}"
            await self._supervisor.changes.park()

    def _fails(self, slot: int, place: Place) -> bool:
        failures = place.failures - self._failures.get(slot, 0)
        return not _serves(place) and (failures > 0 or place.killed > KILLED)


def _serves(place: Place, generation: int = 0) -> bool:
    """Whether a worker of at least that generation serves, and none is to come."""
    worker = place.current
    return (
        worker is not None
        and worker.state is State.READY
        and worker.generation >= generation
        and place.successor is None
    )


def _workers(count: int) -> str:
    return "1 worker" if count == 1 else f"{count} workers"


def _leaving(count: int) -> str:
    if not count:
        return ""
    old = "1 old one finishes its" if count == 1 else f"{count} old ones finish their"
    return f"; {old} requests"


def _compared(size: int, before: int) -> str:
    if size == before:
        return "as before"
    return f"{abs(size - before)} {'more' if size > before else 'fewer'} than before"
