"""Offload: the one door through which blocking file work leaves the event loop."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

import trio

T = TypeVar("T")


class Runner(Protocol):
    """Calls a synchronous function and returns what it returns."""

    def __call__(self, work: Callable[[], T], /) -> Awaitable[T]:
        """Run *work* somewhere it may block."""


async def in_thread(work: Callable[[], T], /) -> T:
    """Run *work* in a thread; cancelling waits for it to end."""
    return await trio.to_thread.run_sync(work)


async def inline(work: Callable[[], T], /) -> T:
    """Run *work* right here.

    For tests on a virtual clock: it counts a thread as idleness and would jump to the
    next deadline while a file is being read.
    """
    await trio.lowlevel.checkpoint()
    return work()


# One per event loop, so that a test which runs file work inline changes no other loop.
runner: trio.lowlevel.RunVar[Runner] = trio.lowlevel.RunVar(
    "trioweb_offload", in_thread
)


async def offload(work: Callable[[], T]) -> T:
    """Run the blocking *work* off the event loop; cancelling waits for it to end."""
    return await runner.get()(work)
