"""Latch: readiness of a socket in one direction, and who waits for it."""

from __future__ import annotations

import outcome
import trio

from trioweb.run.sockets import CLOSED


class Latch:
    """Readiness in one direction, and the task that waits for it."""

    __slots__ = ("_task", "_what", "ready")

    def __init__(self, what: str) -> None:
        # Nobody has looked yet; the first look costs less than waiting to be told.
        self.ready = True
        self._what = what
        self._task: trio.lowlevel.Task | None = None

    async def wait(self) -> None:
        """Wait until the latch opens."""
        self.begin()
        await trio.lowlevel.wait_task_rescheduled(self.abandon)

    def begin(self) -> None:
        """Make the running task the one that waits."""
        if self._task is not None:
            msg = f"another task is {self._what} this connection"
            raise trio.BusyResourceError(msg)
        self._task = trio.lowlevel.current_task()

    def open(self) -> None:
        """Set the latch, and wake who waits for it."""
        self.ready = True
        task = self._task
        if task is not None:
            # Taken out first: a task must never be rescheduled twice.
            self._task = None
            trio.lowlevel.reschedule(task)

    def fail(self) -> None:
        """Let who waits find the connection closed."""
        task, self._task = self._task, None
        if task is not None:
            closed = outcome.Error(trio.ClosedResourceError(CLOSED))
            trio.lowlevel.reschedule(task, closed)

    def abandon(self, _: object) -> trio.lowlevel.Abort:
        """Wait no longer."""
        self._task = None
        return trio.lowlevel.Abort.SUCCEEDED
