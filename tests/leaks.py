"""Leaks: every test leaves as many descriptors and threads as it found.

A pytest plugin.  Tasks need none: a Trio that has returned has none left.
"""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

# Every open descriptor of this process; Linux alone says it so.
_DESCRIPTORS = Path("/proc/self/fd")

# Threads that Trio and asyncio keep for a while, for the next call.
_CACHED = ("Trio thread", "asyncio_")

# Seconds.  A thread that has been told to end may need a moment, and what is in a
# reference cycle a collection.
_PATIENCE = 1.0


@dataclass(frozen=True)
class Held:
    """What the process holds."""

    descriptors: frozenset[tuple[str, str]]  # number and what it is
    threads: frozenset[threading.Thread]

    def since(self, before: Held) -> list[str]:
        """What is held more than *before*, in words."""
        found = [f"thread {thread.name}" for thread in self.threads - before.threads]
        # One that has taken the place of another is no leak.
        if len(self.descriptors) > len(before.descriptors):
            opened = sorted(self.descriptors - before.descriptors)
            found += [f"descriptor {number} ({what})" for number, what in opened]
        return found


def held() -> Held:
    """What the process holds now."""
    return Held(frozenset(_descriptors()), frozenset(_threads()))


def _descriptors() -> Iterator[tuple[str, str]]:
    if not _DESCRIPTORS.exists():
        return
    for name in os.listdir(_DESCRIPTORS):  # noqa: PTH208  # half the time, each test
        try:
            yield name, os.readlink(_DESCRIPTORS / name)  # noqa: PTH115  # as above
        except OSError:
            continue  # the one that the listing itself had


def _threads() -> Iterator[threading.Thread]:
    for thread in threading.enumerate():
        if not thread.name.startswith(_CACHED):
            yield thread


@pytest.fixture(autouse=True)
def nothing_leaks() -> Iterator[None]:
    before = held()
    yield
    left = held().since(before)
    until = time.monotonic() + _PATIENCE
    while left and time.monotonic() < until:
        gc.collect()
        time.sleep(0.01)
        left = held().since(before)
    if left:
        pytest.fail(f"the test has left {', '.join(left)}")
