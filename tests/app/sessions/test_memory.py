"""MemoryStore: its bounds, its sweeping, and where it refuses to be."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from tests.app.asking import request
from trioweb.app.app import App
from trioweb.app.sessions.layer import sessions
from trioweb.app.sessions.memory import OVERHEAD, MemoryStore
from trioweb.app.sessions.store import Lifetime, Outcome
from trioweb.message.errors import SetupError
from trioweb.message.fields import SESSION_LIMIT
from trioweb.message.request import Request
from trioweb.message.site import Site
from trioweb.testing import client

SITE = Site(workers=1, worker=0, directory=Path("/nowhere"))
LIFETIME = Lifetime(idle=1800, absolute=43200)


def key(number: int) -> bytes:
    return hashlib.sha256(b"%d" % number).digest()


@asynccontextmanager
async def opened(**bounds: int) -> AsyncIterator[MemoryStore]:
    store = MemoryStore(**bounds)  # type: ignore[arg-type]  # per_worker is not given
    async with store.open(SITE, LIFETIME):
        yield store


async def test_the_session_used_least_ends_when_there_are_too_many(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(sessions=3) as store:
        for number in range(3):
            await store.create(key(number), {}, None)
        await store.touch(key(0))
        await store.save(key(1), {"a": b"1"})
        with caplog.at_level(logging.WARNING):
            await store.create(key(3), {}, None)
            await store.create(key(4), {}, None)
        alive = [n for n in range(5) if await store.load(key(n)) is not None]
        assert alive == [1, 3, 4]
        assert (len(store), store.evicted) == (3, 2)
    assert [record.message for record in caplog.records] == [
        "MemoryStore is full: the sessions used least end early"
    ]


async def test_who_is_signed_in_stays_where_visitors_come_in_a_crowd() -> None:
    async with opened(sessions=100) as store:
        for number in range(50):
            await store.create(key(number), {}, f"user {number}")
        for number in range(50, 1000):
            await store.create(key(number), {}, None)
        assert [n for n in range(50) if await store.load(key(n)) is None] == []
        assert (len(store), store.evicted) == (100, 900)
        # And a tenth is the visitors', however many are signed in.
        for number in range(1000, 2000):
            await store.create(key(number), {}, "somebody")
        alive = [n for n in range(50, 1000) if await store.load(key(n)) is not None]
        assert alive == list(range(990, 1000))
        assert (len(store), len(await store.keys("somebody"))) == (100, 90)


async def test_its_bytes_are_bounded_whatever_sessions_grow_to() -> None:
    room = 10 * (OVERHEAD + SESSION_LIMIT)
    async with opened(size=room) as store:
        large = {"a": b"x" * (SESSION_LIMIT - 1)}
        for number in range(100):
            await store.create(key(number), {}, None)
        for number in range(100):
            await store.save(key(number), large)
        # Those that had to go for the first ones that grew are gone.
        assert len(store) <= 10
        assert await store.load(key(99)) is None or len(store) > 0
        await store.delete_all("nobody")
        for number in range(100):
            await store.delete(key(number))
        # What was counted in was counted out: there is room for as many again.
        for number in range(10):
            await store.create(key(number), large, None)
        assert len(store) == 10


async def test_the_names_of_users_count() -> None:
    async with opened(size=10 * (OVERHEAD + SESSION_LIMIT)) as store:
        for number in range(200):
            await store.create(key(number), {}, "x" * 10_000)
        assert len(store) < 18
        await store.delete_all("x" * 10_000)
        assert len(store) == 0


async def test_a_crowd_of_visitors_leaves_it_within_its_bound() -> None:
    async with opened(sessions=1000) as store:
        for number in range(50_000):
            await store.create(b"%d" % number, {}, None)
        assert (len(store), store.evicted) == (1000, 49_000)


async def test_what_has_expired_is_swept_away_unasked(
    autojump_clock: MockClock,
) -> None:
    async with opened() as store:
        await trio.sleep(5000)  # nothing to sweep, and nobody turns in circles
        for number in range(50):
            await store.create(key(number), {}, "ada")
            await trio.sleep(1)
        await store.touch(key(0))
        await trio.sleep(1800 - 25.5)
        assert len(store) == 26
        await trio.sleep(1800)
        assert (len(store), await store.keys("ada")) == (0, [])


async def test_a_wall_clock_means_nothing_to_it(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened() as store:
        await store.create(key(1), {}, None)
        monkeypatch.setattr("time.time", lambda: 0.0)
        assert await store.load(key(1)) is not None
        monkeypatch.setattr("time.time", lambda: 1e12)
        assert await store.load(key(1)) is not None


async def test_closing_it_forgets_everything() -> None:
    store = MemoryStore()
    async with store.open(SITE, LIFETIME):
        await store.create(key(1), {}, "ada")
    assert len(store) == 0
    with pytest.raises(SetupError, match="not open"):
        await store.load(key(1))
    async with store.open(SITE, LIFETIME):
        assert await store.keys("ada") == []
        assert await store.save(key(1), {}) is Outcome.GONE


async def test_one_store_is_not_opened_twice() -> None:
    async with opened() as store:
        with pytest.raises(SetupError, match="give each its own"):
            async with store.open(SITE, LIFETIME):
                pass  # not reached
        await store.create(key(1), {}, None)
        assert len(store) == 1


async def test_several_workers_need_another_store() -> None:
    several = Site(workers=4, worker=0, directory=Path("/nowhere"))
    with pytest.raises(SetupError, match=r"4 workers.*per_worker=True"):
        async with MemoryStore().open(several, LIFETIME):
            pass  # not reached
    async with MemoryStore(per_worker=True).open(several, LIFETIME):
        pass


@pytest.mark.parametrize("bounds", [{"sessions": 0}, {"size": 1000}])
def test_a_store_without_room_is_refused(bounds: dict[str, int]) -> None:
    with pytest.raises(SetupError, match="no room for one session"):
        MemoryStore(**bounds)  # type: ignore[arg-type]  # per_worker is not given


async def test_ten_thousand_anonymous_requests_write_nothing() -> None:
    store = MemoryStore()
    app = App()
    app.use(sessions(store))

    @app.get("/")
    async def page(request: Request) -> str:
        return str(request.session.get("name", "nobody"))

    handler = app.freeze()
    async with app.open(SITE):
        asked = request("GET", "/")
        for _ in range(10_000):
            response = await handler(asked)
            assert (response.status, "set-cookie" in response.headers) == (200, False)
        assert len(store) == 0
    async with client(app) as visitor:
        answer = await visitor.get("/", headers={"cookie": "sid=" + "A" * 43})
        assert ("set-cookie" in answer.headers, len(store)) == (False, 0)
