"""Notices: what systemd is told of a server with workers."""

from __future__ import annotations

import enum

import trio

from trioweb.run.cluster.members import State
from trioweb.run.cluster.supervisor import Supervisor
from trioweb.run.systemd import Notifier


class Phase(enum.Enum):
    """Where a server is in its life, as systemd sees it."""

    STARTING = enum.auto()
    READY = enum.auto()
    RELOADING = enum.auto()
    STOPPING = enum.auto()


async def notify(notifier: Notifier, supervisor: Supervisor) -> None:
    """Tell systemd how *supervisor* does, until cancelled; nothing if nobody asks."""
    if not notifier:
        return
    notices = _Notices(notifier, supervisor)
    async with trio.open_nursery() as telling:
        telling.start_soon(notifier.live, notices.healthy)
        while True:
            notices.tell()
            await supervisor.changes.park()


class _Notices:
    def __init__(self, notifier: Notifier, supervisor: Supervisor) -> None:
        self._notifier = notifier
        self._supervisor = supervisor
        self._told = Phase.STARTING

    def healthy(self) -> bool:
        """Whether anybody serves, or is not yet or no more expected to."""
        # How long a start and a stop may take, systemd measures by other means.
        idle = self._told in {Phase.STARTING, Phase.STOPPING}
        return idle or self._ready() > 0

    def tell(self) -> None:
        """Say what has changed."""
        phase = self._phase()
        if phase is not self._told:
            self._told = phase
            match phase:
                case Phase.READY:
                    self._notifier.ready()
                case Phase.RELOADING:
                    self._notifier.reloading()
                case Phase.STOPPING:
                    self._notifier.stopping()
        size = self._supervisor.plan.size
        self._notifier.status(f"{self._ready()} of {size} workers ready")

    def _ready(self) -> int:
        members = self._supervisor.plan.members.values()
        return sum(each.state is State.READY for each in members)

    def _phase(self) -> Phase:
        if self._supervisor.leaving or self._supervisor.plan.stopping:
            return Phase.STOPPING
        if self._told is Phase.STARTING and not self._ready():
            return Phase.STARTING
        return Phase.RELOADING if self._rolls() else Phase.READY

    def _rolls(self) -> bool:
        """Whether old code serves that is to be replaced."""
        plan = self._supervisor.plan
        return any(
            place.current is not None
            and place.current.generation < plan.queue.generation
            and (place.successor is not None or plan.queue.waits(slot))
            for slot, place in plan.places.items()
        )
