"""Bonds: what ends a worker's process for certain, whatever the application does."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import connection

from trioweb.run.cluster.telling import tell

# PR_SET_PDEATHSIG (prctl(2)).
_DEATH_SIGNAL = 1


@contextmanager
def bound_to_supervisor() -> Iterator[None]:
    """Be killed with the supervisor while the block runs, where the system can do it.

    A module that takes for ever to load would never find out that nobody waits for it.
    """
    try:
        prctl = ctypes.CDLL(None).prctl
    except (AttributeError, OSError, TypeError):  # not Linux
        yield
        return
    prctl(_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    parent = multiprocessing.parent_process()
    if parent is not None and os.getppid() != parent.pid:
        raise SystemExit(1)  # it was gone before it was asked for
    try:
        yield
    finally:
        prctl(_DEATH_SIGNAL, 0, 0, 0, 0)


def survive(seconds: float) -> None:
    """Let this process live on for so many seconds when its supervisor is gone.

    By a thread: an event loop that is blocked would not hear of it, and nobody is left
    who could kill it.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        _beside(_survive, parent.sentinel, parent.pid, seconds)


def _survive(sentinel: int, parent: int, seconds: float) -> None:
    connection.wait([sentinel])
    time.sleep(seconds)
    # An application that closes descriptors which are not its own may have closed that.
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def end_within(seconds: float) -> None:
    """End this process, which has nothing more to do, though threads hold it up."""
    _beside(_end, seconds)


def _end(seconds: float) -> None:
    time.sleep(seconds)
    names = [
        each.name
        for each in threading.enumerate()
        if not each.daemon and each is not threading.main_thread()
    ]
    held = f"threads that do not end ({', '.join(names)})" if names else "what it began"
    tell(f"trioweb: worker {os.getpid()} ends without {held}")
    os._exit(1)


def _beside(act: Callable[..., None], *arguments: object) -> None:
    threading.Thread(
        target=act, args=arguments, name="trioweb end", daemon=True
    ).start()
