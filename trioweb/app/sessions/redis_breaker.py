"""Breaker: whether a server that has not answered is worth asking."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import trio

from trioweb.app.sessions.store import StoreError

# Questions in a row without an answer after which nobody waits any more: one is a
# connection that has broken, five are a server.
FAILURES = 5

# Seconds at most until one question tries again; at least half of it, by chance, so
# that many workers do not come to a server that has just started at the same time.
PAUSE = 1.0


class Breaker:
    """Whether a server that has not answered is worth asking.

    After FAILURES in a row every question fails at once, but for one that is let
    through each half to whole PAUSE: the first that is answered ends it.
    """

    def __init__(self) -> None:
        self._failures = 0
        self._again = 0.0  # the event loop's time

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Ask in the block; StoreError at once where that is of no use.

        A StoreError in the block is an answer that has not come.
        """
        if self._failures >= FAILURES:
            self._let_one_through()
        try:
            yield
        except StoreError:
            self._failures += 1
            if self._failures == FAILURES:
                self._wait()
            raise
        # Cancelled, it says nothing: who asked has left.
        self._failures = 0

    def _let_one_through(self) -> None:
        if trio.current_time() < self._again:
            raise StoreError(f"{self._failures} questions in a row had no answer")
        self._wait()

    def _wait(self) -> None:
        pause = random.uniform(PAUSE / 2, PAUSE)  # noqa: S311  # no secret
        self._again = trio.current_time() + pause
