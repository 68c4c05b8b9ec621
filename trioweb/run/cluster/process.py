"""One worker's process, as its supervisor holds it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from types import ModuleType

import trio

from trioweb.run.cluster.channel import Channel
from trioweb.run.cluster.messages import Beat, FromWorker
from trioweb.run.cluster.signals import deferred
from trioweb.run.cluster.worker import Order, work
from trioweb.run.control.pace import Pace

# What a worker's process is called, before the number of its slot.
NAME = "trioweb worker"


def in_worker() -> bool:
    """Whether this process is a worker."""
    return multiprocessing.current_process().name.startswith(NAME)


class Process:
    """A process that has been started, and the channel to it.

    OSError where the system has no room for one more.
    """

    def __init__(self, number: int, order: Order) -> None:
        self.number = number
        self.slot = order.site.worker
        self.began = trio.current_time()
        self.pace = Pace()
        self.beat = Beat(connections=0, requests=0, memory=0, processor=0.0)
        ours, theirs = socket.socketpair()
        self.channel: Channel[FromWorker] = Channel(ours, FromWorker)
        self._process = multiprocessing.get_context("spawn").Process(
            target=work, args=(theirs, order), name=f"{NAME} {self.slot}"
        )
        try:
            prepare()
            with theirs, deferred(), _no_program():
                self._process.start()
        except OSError:
            ours.close()
            raise
        self.pid = self._process.pid or 0
        self._descriptor = _descriptor(self.pid)

    def count(self, beat: Beat) -> None:
        """Keep what a sign of life has told."""
        self.beat = beat
        self.pace.count(
            trio.current_time(), requests=beat.requests, processor=beat.processor
        )

    async def ended(self) -> None:
        """Wait until the process is gone."""
        sentinel = self._process.sentinel
        await trio.lowlevel.wait_readable(
            sentinel if self._descriptor is None else self._descriptor
        )

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process, which cannot be another's by now.

        It keeps its number until `reap`.
        """
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def reap(self) -> int:
        """The exit code of the process, which is gone, as multiprocessing tells it."""
        self._process.join()
        code = self._process.exitcode
        self._process.close()
        if self._descriptor is not None:
            os.close(self._descriptor)
        self.channel.close()
        return 1 if code is None else code


def prepare() -> None:
    """Start what multiprocessing needs beside the workers, with all its side effects.

    Starting it lets signals in, which must not come while they are deferred.  That it
    had been killed is no matter of ours.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        resource_tracker.ensure_running()


def _descriptor(pid: int) -> int | None:
    """What becomes readable when the process is gone, by itself.

    Its sentinel is open also in what it has forked, and may outlive it there.
    """
    if not hasattr(os, "pidfd_open"):
        return None
    try:
        return os.pidfd_open(pid)
    except OSError:  # a system that has the call in its books only
        return None


@contextmanager
def _no_program() -> Iterator[None]:
    """Keep multiprocessing from running the program once more in its child.

    The worker loads the application itself: under its own name, once, and where a
    failure can be told from a crash.
    """
    program = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = program
