"""RedisStore in the middle of a reply: no connection is used after a fault.

redis-py once gave one visitor another's data so (CVE-2023-28858, CVE-2023-28859).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
import trio

from tests.app.sessions.redis_store import KEY, OTHER, opened
from tests.clients.redis import RedisServer, liar, proxied
from trioweb.app.sessions.redis import RedisStore
from trioweb.app.sessions.redis_link import REPLY_LIMIT
from trioweb.app.sessions.redis_pool import CONNECTIONS
from trioweb.app.sessions.store import Outcome, StoreError

# What the two sessions hold: nothing that could be taken for the other's.
OURS, THEIRS = {"who": b'"ada"', "n": b"1"}, {"who": b'"bob"', "n": b"2"}


async def both_kept(store: RedisStore) -> None:
    await store.create(KEY, OURS, "ada")
    await store.create(OTHER, THEIRS, "bob")
    await each_has_its_own(store)


async def each_has_its_own(store: RedisStore) -> None:
    """Load both at the same time, and find in each what is its own."""

    async def load(key: bytes, user: str, who: bytes) -> None:
        record = await store.load(key)
        assert record is not None
        assert (record.user, record.fields["who"]) == (user, who)

    async with trio.open_nursery() as loading:
        loading.start_soon(load, KEY, "ada", OURS["who"])
        loading.start_soon(load, OTHER, "bob", THEIRS["who"])


# No fault here is that something takes too long.
pytestmark = pytest.mark.usefixtures("unhurried")


async def test_a_connection_that_is_cut_after_any_byte_of_a_reply_is_not_used_again(
    redis_server: RedisServer, redis_prefix: str
) -> None:
    async with proxied(redis_server) as proxy, opened(proxy.url, redis_prefix) as store:
        await both_kept(store)
        before = proxy.passed
        await store.load(KEY)
        length = proxy.passed - before
        assert length > 50
        for cut in range(length):
            proxy.cut = cut
            with pytest.raises(StoreError):
                await store.load(KEY)
            await proxy.left(0)
            proxy.cut = None
            await each_has_its_own(store)


async def test_a_write_that_is_cut_after_any_byte_of_its_reply_is_an_error(
    redis_server: RedisServer, redis_prefix: str
) -> None:
    async with proxied(redis_server) as proxy, opened(proxy.url, redis_prefix) as store:
        await both_kept(store)
        await store.save(KEY, {"n": b"1"})  # the server has the script then
        before = proxy.passed
        await store.save(KEY, {"n": b"1"})
        for cut in range(proxy.passed - before):
            proxy.cut = cut
            with pytest.raises(StoreError):
                await store.save(KEY, {"n": b"%d" % cut})
            proxy.cut = None
            record = await store.load(KEY)
            assert record is not None
            assert record.fields["n"] in {b"%d" % cut, b"%d" % (cut - 1), b"1"}
            await each_has_its_own(store)


async def test_a_greeting_that_is_cut_after_any_byte_is_an_error(
    redis_server: RedisServer, redis_prefix: str
) -> None:
    async with proxied(redis_server) as proxy, opened(proxy.url, redis_prefix) as store:
        await both_kept(store)
        proxy.cut = 0
        with pytest.raises(StoreError):
            await store.load(KEY)
        for cut in range(1, 150):  # HELLO's is longer
            proxy.cut = cut
            with pytest.raises(StoreError):
                await store.load(KEY)
            proxy.cut = None
            await each_has_its_own(store)
            await proxy.disconnect()


async def test_replies_that_come_byte_by_byte_are_the_same(
    redis_server: RedisServer, redis_prefix: str
) -> None:
    async with proxied(redis_server) as proxy, opened(proxy.url, redis_prefix) as store:
        proxy.slowly = True
        await both_kept(store)
        await store.save(KEY, {"n": b"3"})
        assert await store.keys("ada") == [KEY]
        assert proxy.opened == 2


class Steps(trio.abc.Instrument):
    """Cancels *scope* when tasks, whichever they are, have run *last* times."""

    def __init__(self, scope: trio.CancelScope, last: int) -> None:
        self.scope = scope
        self.left = last

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self.left -= 1
        if self.left == 0:
            self.scope.cancel(reason="the test says so")


async def cancelled_at(step: int, asked: Callable[[], Awaitable[object]]) -> bool:
    """Whether *asked* was cancelled, which it is at the *step*-th step of any task."""
    with trio.CancelScope() as scope:
        steps = Steps(scope, step)
        trio.lowlevel.add_instrument(steps)
        try:
            await asked()
        finally:
            trio.lowlevel.remove_instrument(steps)
    return scope.cancelled_caught


# Steps of all tasks, the proxy's too, that one question on a new connection takes.
STEPS = 60


@pytest.mark.parametrize("fresh", [False, True], ids=["lent", "connecting"])
@pytest.mark.parametrize("write", [False, True], ids=["load", "save"])
async def test_a_question_cancelled_at_any_step_leaves_nothing_behind(
    redis_server: RedisServer, redis_prefix: str, *, write: bool, fresh: bool
) -> None:
    async with proxied(redis_server) as proxy, opened(proxy.url, redis_prefix) as store:
        await both_kept(store)

        async def ask() -> None:
            if write:
                await store.save(KEY, {"n": b"5"})
            else:
                await store.load(KEY)

        cancelled = 0
        for step in range(1, STEPS):
            if fresh:
                await proxy.disconnect()
            cancelled += await cancelled_at(step, ask)
            await each_has_its_own(store)
        assert cancelled > (20 if fresh else 5)
        await proxy.left(2)


async def test_a_connection_that_is_left_in_the_middle_of_a_reply_is_closed(
    redis_server: RedisServer, redis_prefix: str
) -> None:
    async with proxied(redis_server) as proxy, opened(proxy.url, redis_prefix) as store:
        await store.create(KEY, OURS, "ada")
        assert len(proxy.open) == 1
        proxy.delay = 0.2
        with trio.move_on_after(0.05):
            await store.load(KEY)
        await proxy.left(0)


async def test_many_cancelled_questions_lose_no_place_in_the_pool(
    redis_server: RedisServer, redis_prefix: str
) -> None:
    async with proxied(redis_server) as proxy, opened(proxy.url, redis_prefix) as store:
        await both_kept(store)
        proxy.delay = 0.02
        for _ in range(8):
            with trio.move_on_after(0.01):
                async with trio.open_nursery() as asking:
                    for _ in range(CONNECTIONS):
                        asking.start_soon(store.load, KEY)
        proxy.delay = 0
        await each_has_its_own(store)
        await proxy.left(2)


async def test_there_are_never_more_connections_than_allowed(
    redis_server: RedisServer, redis_prefix: str
) -> None:
    async with proxied(redis_server) as proxy, opened(proxy.url, redis_prefix) as store:
        await both_kept(store)
        async with trio.open_nursery() as asking:
            for _ in range(CONNECTIONS + 90):
                asking.start_soon(store.load, KEY)
        assert proxy.opened <= CONNECTIONS


# ------------------------------------------------------------------ a server that lies


def array(*items: bytes) -> bytes:
    return b"*%d\r\n" % len(items) + b"".join(items)


def bulk(data: bytes) -> bytes:
    return b"$%d\r\n%b\r\n" % (len(data), data)


LIES: dict[str, Callable[[bytes], bytes]] = {
    "another question's": lambda token: array(bulk(b"9%b" % token), bulk(b"saved")),
    "no token": lambda _: array(bulk(b"saved")),
    "no list": bulk,
    "nothing": lambda _: b"_\r\n",
    "an empty list": lambda _: array(),
    "garbage": lambda _: b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "an unknown outcome": lambda token: array(bulk(token), bulk(b"fine")),
    "a number": lambda token: array(bulk(token), b":1\r\n"),
    "three items": lambda token: array(bulk(token), b":1\r\n", b":1\r\n"),
    "no number of bytes": lambda _: b"$one\r\n",
    "a boolean without a value": lambda _: b"#\r\n",
    "a number that is too large": lambda _: b"(" + b"9" * 100_000 + b"\r\n",
    "an error that is not UTF-8": lambda _: b"-ERR \xff\r\n",
    "an error inside": lambda token: array(bulk(token), b"-ERR no\r\n"),
    "too much": lambda _: b"$%d\r\n%b" % (1 << 30, b"x" * 4 * REPLY_LIMIT),
    "deeper and deeper": lambda _: b"*1\r\n" * REPLY_LIMIT,
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
async def test_what_makes_no_sense_is_an_error(lie: Callable[[bytes], bytes]) -> None:
    async with liar(lie) as url, opened(url) as store:
        with pytest.raises(StoreError):
            await store.load(KEY)
        with pytest.raises(StoreError):
            await store.save(KEY, {"a": b"1"})
        with pytest.raises(StoreError):
            await store.keys("ada")


@pytest.mark.parametrize(
    "more", [bulk(b"more"), b"$4\r\nmo", b">1\r\n$1\r\nx\r\n"], ids=ascii
)
async def test_a_reply_too_many_is_never_taken_for_the_next_one(more: bytes) -> None:
    answers = 0

    def answer(token: bytes) -> bytes:
        nonlocal answers
        answers += 1
        return array(bulk(token), bulk(b"saved")) + more

    async with liar(answer) as url, opened(url) as store:
        for _ in range(5):
            try:
                outcome = await store.save(KEY, {"a": b"1"})
            except StoreError:
                continue
            assert outcome is Outcome.SAVED
    assert answers >= 5
