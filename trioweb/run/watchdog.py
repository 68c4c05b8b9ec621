"""The watchdog: a handler that blocks the event loop is noticed, and shown at fault.

While one handler computes, or waits without `await`, nobody else is served, and the
loop cannot say so itself.  A thread asks it for a sign of life and, when none comes,
logs where the loop's thread is.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import trio

from trioweb.run.tasks import tree

log = logging.getLogger("trioweb.error")

# Seconds without a sign of life before the loop counts as blocked: ten times what any
# peer would call quick.  It is asked as often, which costs next to nothing.
PATIENCE = 0.5

# As often without a sign, and what the loop's tasks are is shown too: 5 s, long before
# a supervisor kills a worker that is stuck.
LASTING = 10


@asynccontextmanager
async def watched(patience: float = PATIENCE) -> AsyncIterator[None]:
    """Log the loop's stack when it is blocked for *patience* seconds in the block.

    Once for each time it is blocked, then all its tasks if that lasts, and once more,
    with how long, when it goes on.
    """
    root = trio.lowlevel.current_root_task()
    dog = _Dog(trio.lowlevel.current_trio_token(), root, patience)
    thread = threading.Thread(target=dog.watch, name="trioweb watchdog", daemon=True)
    thread.start()
    try:
        yield
    finally:
        dog.stop.set()
        # Not joined right here: it may be waiting for a sign of life.
        with trio.move_on_after(2 * patience, shield=True):
            await trio.to_thread.run_sync(thread.join)


class _Dog:
    def __init__(
        self,
        token: trio.lowlevel.TrioToken,
        root: trio.lowlevel.Task | None,
        patience: float,
    ) -> None:
        self.stop = threading.Event()
        self._token = token
        self._root = root
        self._patience = patience
        self._loop = threading.get_ident()
        self._sign = threading.Event()

    def watch(self) -> None:
        while not self.stop.wait(self._patience):
            self._sign.clear()
            asked = time.monotonic()
            try:
                self._token.run_sync_soon(self._sign.set, idempotent=True)
            except trio.RunFinishedError:
                return
            if not self._wait_for_sign():
                self._report()
                waits = 1
                while not self._wait_for_sign():
                    if self.stop.is_set():
                        return
                    waits += 1
                    if waits == LASTING:
                        self._report_tasks()
                seconds = time.monotonic() - asked
                log.warning("the event loop goes on after %.1f s", seconds)

    def _wait_for_sign(self) -> bool:
        return self._sign.wait(self._patience) or self.stop.is_set()

    def _report_tasks(self) -> None:
        with suppress(RuntimeError):  # it goes on right now, and they change
            if self._root is not None:
                log.error("these are its tasks:\n%s", tree(self._root))

    def _report(self) -> None:
        frame = sys._current_frames().get(self._loop)  # noqa: SLF001  # its public name
        stack = "".join(traceback.format_stack(frame)) if frame else ""
        log.error(
            "the event loop has been blocked for %.1f s, and nobody else is served; "
            "put what blocks into trio.to_thread.run_sync().  It is here:\n%s",
            self._patience,
            stack,
        )
