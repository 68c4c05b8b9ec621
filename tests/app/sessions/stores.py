"""The stores that every test of the suite is run against, and how to make each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from tests.clients.redis import RedisServer
from trioweb.app.sessions.memory import MemoryStore
from trioweb.app.sessions.redis import RedisStore
from trioweb.app.sessions.sqlite import SQLiteStore
from trioweb.app.sessions.store import Lifetime, Store
from trioweb.message.offload import inline, runner
from trioweb.message.site import Site


@dataclass(frozen=True)
class Stand:
    """One kind of store under test.

    *make* makes a store on the same place each time; *lifetime* is one that a test can
    wait for; *virtual* says whether time may be jumped over.
    """

    make: Callable[[], Store]
    lifetime: Lifetime
    virtual: bool
    directory: Path

    @property
    def lasting(self) -> Stand:
        """The same with sessions that outlive every test, on the busiest machine."""
        return replace(self, lifetime=Lifetime(1800, 43200))

    @property
    def site(self) -> Site:
        return Site(workers=1, worker=0, directory=self.directory)

    def run(self, test: Callable[[Store], Awaitable[None]]) -> None:
        """Run *test* with an open store, by the clock that suits it."""
        self.run_app(partial(self._opened, test))

    def run_app(self, test: Callable[[], Awaitable[None]]) -> None:
        """Run *test* by the clock that suits the store."""
        clock = MockClock(autojump_threshold=0) if self.virtual else None
        trio.run(self._bounded, test, clock=clock)

    async def _opened(self, test: Callable[[Store], Awaitable[None]]) -> None:
        store = self.make()
        async with store.open(self.site, self.lifetime):
            await test(store)

    async def _bounded(self, test: Callable[[], Awaitable[None]]) -> None:
        if self.virtual:
            runner.set(inline)  # a thread would count as idleness
        with trio.fail_after(1_000_000 if self.virtual else 60):
            await test()


def memory(request: pytest.FixtureRequest, directory: Path) -> Stand:
    return Stand(MemoryStore, Lifetime(1800, 43200), True, directory)


def sqlite(request: pytest.FixtureRequest, directory: Path) -> Stand:
    make = partial(SQLiteStore, directory / "sessions.db")
    return Stand(make, Lifetime(1800, 43200), True, directory)


def redis(request: pytest.FixtureRequest, directory: Path) -> Stand:
    server: RedisServer = request.getfixturevalue("redis_server")
    prefix: str = request.getfixturevalue("redis_prefix")
    make = partial(RedisStore, server.url, prefix=prefix)
    # The server's clock cannot be jumped over.
    return Stand(make, Lifetime(0.5, 1.3), False, directory)


# Each store adds itself here, and so takes every test of the suite.
STANDS: dict[str, Callable[[pytest.FixtureRequest, Path], Stand]] = {
    "memory": memory,
    "redis": redis,
    "sqlite": sqlite,
}
