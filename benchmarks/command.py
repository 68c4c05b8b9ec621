"""Command: a benchmark's main function, ended in order by Ctrl-C or SIGTERM."""

from __future__ import annotations

import signal
import sys
from collections.abc import Awaitable, Callable
from functools import partial

import trio

from benchmarks.system import cores, pin, raise_descriptors

Main = Callable[[], Awaitable[int]]
"""A program; it returns its exit code."""

# What shells report of a program that a signal has ended, for SIGINT.
INTERRUPTED = 130


def run_apart(main: Main) -> int:
    """As `run`, beside the server's core, with all the descriptors there may be."""
    raise_descriptors()
    pin(cores().others)
    return run(main)


def run(main: Main) -> int:
    """Run *main*; its exit code.  A signal cancels it: it ends what it began."""
    return trio.run(partial(_until_signal, main))


async def _until_signal(main: Main) -> int:
    code = INTERRUPTED
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with trio.open_nursery() as running:

            async def hear() -> None:
                async for _ in signals:
                    print("\nstopping", file=sys.stderr)
                    running.cancel_scope.cancel(reason="a signal")

            running.start_soon(hear)
            code = await main()
            running.cancel_scope.cancel(reason="done")
    return code
