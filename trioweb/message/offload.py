"""Offload: the one door through which blocking file work leaves the event loop."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

import trio

T = TypeVar("T")

# Threads that read files at once: what nginx's pool has (`threads=32`).  A cached piece
# takes one for 50 µs; more than this would only queue in front of the disk.
THREADS = 32

# Of each event loop.  Not Trio's own, which is everybody's: forty handlers that are
# stuck in a library's calls would stop every file.
_threads: trio.lowlevel.RunVar[trio.CapacityLimiter] = trio.lowlevel.RunVar(
    "trioweb_offload_threads"
)


class Runner(Protocol):
    """Calls a synchronous function and returns what it returns."""

    def __call__(self, work: Callable[[], T], /) -> Awaitable[T]:
        """Run *work* somewhere it may block."""


async def in_thread(work: Callable[[], T], /) -> T:
    """Run *work* in a thread; cancelling waits for it to end."""
    try:
        threads = _threads.get()
    except LookupError:
        threads = trio.CapacityLimiter(THREADS)
        _threads.set(threads)
    return await trio.to_thread.run_sync(work, limiter=threads)


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
