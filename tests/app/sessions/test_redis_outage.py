"""RedisStore while its server is away: refused at once, back within two seconds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest
import trio

from tests.app.sessions.redis_store import KEY, OTHER, opened
from tests.clients.redis import RedisServer, listening, proxied
from trioweb.app.app import App
from trioweb.app.sessions import redis_pool
from trioweb.app.sessions.layer import sessions
from trioweb.app.sessions.redis import RedisStore
from trioweb.app.sessions.redis_breaker import FAILURES
from trioweb.app.sessions.redis_pool import CONNECTIONS, WAITERS
from trioweb.app.sessions.store import Lifetime, Outcome, StoreError
from trioweb.message.request import Request
from trioweb.testing import client
from trioweb.testing.httpx_client import Client

# Seconds: what is promised, and what a machine that is busy with other tests may add.
REFUSED, BACK, BUSY = 0.6, 2.0, 0.5


@contextmanager
def within(seconds: float) -> Iterator[None]:
    before = trio.current_time()
    yield
    assert trio.current_time() - before < seconds + BUSY


@asynccontextmanager
async def visiting(url: str) -> AsyncIterator[Client]:
    """A visitor of an application with sessions at *url*, and a page without."""
    app = App()
    app.use(sessions(RedisStore(url)))

    @app.get("/")
    async def count(request: Request) -> str:
        n = request.session["n"] = request.session.setdefault("n", 0) + 1
        return str(n)

    @app.get("/plain", session=False)
    async def plain(request: Request) -> str:
        return "plain"

    async with client(app) as visitor:
        yield visitor


async def refused(visitor: Client) -> None:
    """The page with a session is refused in time, and others are served at once."""
    with within(REFUSED):
        answer = await visitor.get("/")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    with within(0.05):
        assert (await visitor.get("/plain")).text == "plain"


async def back(visitor: Client) -> str:
    """What the visitor is answered when the server is there again, in time."""
    with within(BACK):
        for _ in range(1000):
            answer = await visitor.get("/")
            if answer.status_code != 503:
                break
            await trio.sleep(0.02)
    return answer.text


async def test_a_server_that_has_ended_is_back_with_a_new_session(
    own_redis: Callable[..., RedisServer],
) -> None:
    server = own_redis()
    async with visiting(server.url) as visitor:
        assert (await visitor.get("/")).text == "1"
        server.stop()
        for _ in range(2 * FAILURES):
            await refused(visitor)
        server.start()  # it has kept nothing
        assert await back(visitor) == "1"


async def test_a_server_that_is_a_black_hole_is_refused_and_back(
    own_redis: Callable[..., RedisServer], caplog: pytest.LogCaptureFixture
) -> None:
    server = own_redis()
    async with visiting(server.url) as visitor:
        assert (await visitor.get("/")).text == "1"
        server.pause()
        with within(REFUSED):
            async with trio.open_nursery() as asking:
                for _ in range(20):
                    asking.start_soon(refused, visitor)
        # Nobody waits any more, but for one in a while.
        quick = 0
        for _ in range(50):
            before = trio.current_time()
            assert (await visitor.get("/")).status_code == 503
            quick += trio.current_time() - before < 0.2
        assert quick > 45
        server.resume()
        assert await back(visitor) == "2"
    # One line, and nothing of what lies below.
    assert [record.name for record in caplog.records if record.levelno > 20] == [
        "trioweb.app.sessions.patience"
    ]


async def test_a_server_that_takes_five_seconds_is_not_waited_for(
    own_redis: Callable[..., RedisServer],
) -> None:
    server = own_redis()
    async with proxied(server) as proxy, visiting(proxy.url) as visitor:
        assert (await visitor.get("/")).text == "1"
        proxy.delay = 5
        for _ in range(FAILURES + 2):
            await refused(visitor)
        proxy.delay = 0
        assert await back(visitor) == "2"


async def test_a_server_that_resets_what_it_is_asked_is_refused_and_back(
    own_redis: Callable[..., RedisServer],
) -> None:
    server = own_redis()
    async with proxied(server) as proxy, visiting(proxy.url) as visitor:
        assert (await visitor.get("/")).text == "1"
        proxy.cut = 0
        await proxy.disconnect()
        for _ in range(FAILURES + 2):
            await refused(visitor)
        proxy.cut = None
        assert await back(visitor) == "2"


async def test_a_server_that_only_reads_refuses_what_is_written(
    own_redis: Callable[..., RedisServer],
) -> None:
    server = own_redis()
    async with visiting(server.url) as visitor:
        assert (await visitor.get("/")).text == "1"
        server.call("REPLICAOF", "127.0.0.1", "1")
        for _ in range(2 * FAILURES):
            await refused(visitor)
        server.call("REPLICAOF", "NO", "ONE")
        # It answers all the time, so there is nothing to wait for.
        assert (await visitor.get("/")).text == "2"


async def test_a_server_without_memory_refuses_as_a_whole_and_still_signs_out(
    own_redis: Callable[..., RedisServer],
) -> None:
    server = own_redis()
    async with opened(server.url) as store:
        await store.create(KEY, {"a": b"1", "b": b"2"}, "ada")
        server.call("CONFIG", "SET", "maxmemory", "1")
        for changes in ({"a": None, "c": b"3"}, {"a": b"9", "b": None}):
            with pytest.raises(StoreError):
                await store.save(KEY, changes)
            with pytest.raises(StoreError):
                await store.rotate(KEY, OTHER, changes, "bob")
            record = await store.load(KEY)
            assert record is not None
            assert (record.fields, record.user) == ({"a": b"1", "b": b"2"}, "ada")
        with pytest.raises(StoreError):
            await store.create(OTHER, {"a": b"1"}, "bob")
        assert await store.load(OTHER) is None
        assert server.call("EXISTS", "trioweb:u:bob") == 0
        await store.delete(KEY)
        assert await store.load(KEY) is None


async def test_a_password_that_has_changed_refuses_until_it_is_the_old_one(
    own_redis: Callable[..., RedisServer],
) -> None:
    server = own_redis("--requirepass", "old")
    async with visiting(f"unix://:old@{server.path}") as visitor:
        assert (await visitor.get("/")).text == "1"
        server.password = "old"
        server.call("CONFIG", "SET", "requirepass", "new")
        server.password = "new"
        server.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        for _ in range(FAILURES + 2):
            await refused(visitor)
        server.call("CONFIG", "SET", "requirepass", "old")
        assert await back(visitor) == "2"


async def test_what_speaks_another_protocol_is_refused() -> None:
    async def greet(stream: trio.SocketStream) -> None:
        async with stream:
            await stream.send_all(b"220 mail.example ESMTP\r\n")
            await stream.receive_some()

    async with listening(greet) as url, visiting(url) as visitor:
        visitor.cookies.set("sid", "A" * 43)
        for _ in range(FAILURES + 2):
            await refused(visitor)


async def test_an_application_starts_without_its_server(
    own_redis: Callable[..., RedisServer], caplog: pytest.LogCaptureFixture
) -> None:
    server = own_redis()
    server.stop()
    async with visiting(server.url) as visitor:
        assert "no sessions yet: Redis at" in caplog.text
        await refused(visitor)
        server.start()
        assert await back(visitor) == "1"


async def test_a_dead_server_does_not_hold_a_thousand(
    own_redis: Callable[..., RedisServer],
) -> None:
    server = own_redis()
    at_once = 0

    async def ask(store: RedisStore) -> None:
        nonlocal at_once
        before = trio.current_time()
        with pytest.raises(StoreError), within(REFUSED):
            await store.load(KEY)
        at_once += trio.current_time() - before < 0.2

    async with opened(server.url) as store:
        await store.load(KEY)
        server.pause()
        async with trio.open_nursery() as asking:
            for _ in range(1000):
                asking.start_soon(ask, store)
        assert at_once == 1000 - CONNECTIONS - WAITERS
        server.resume()


async def test_connections_that_nobody_uses_are_closed(
    redis_server: RedisServer, redis_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_pool, "UNUSED", 0.05)
    async with proxied(redis_server) as proxy, opened(proxy.url, redis_prefix) as store:
        async with trio.open_nursery() as asking:
            for _ in range(10):
                asking.start_soon(store.load, KEY)
        opened_then = proxy.opened
        assert opened_then > 1
        await trio.sleep(0.06)
        await store.load(KEY)
        await proxy.left(1)
        assert proxy.opened == opened_then + 1


async def test_two_openings_that_end_leave_no_connection(
    redis_server: RedisServer, redis_prefix: str
) -> None:
    async with proxied(redis_server) as proxy:
        for _ in range(2):
            async with opened(proxy.url, redis_prefix, Lifetime(10, 10)) as store:
                await store.create(KEY, {}, None)
                assert await store.save(KEY, {"a": b"1"}) is Outcome.SAVED
            await proxy.left(0)
