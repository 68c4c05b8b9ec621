"""RedisStore: what it keeps in the server, and how long (the rest: test_suite)."""

from __future__ import annotations

import hashlib

import pytest
import trio

from tests.app.sessions.redis_store import KEY, OTHER, key, opened
from tests.clients.redis import RedisServer, proxied
from trioweb.app.app import App
from trioweb.app.sessions.layer import sessions
from trioweb.app.sessions.redis import LISTED, RedisStore
from trioweb.app.sessions.redis_link import REPLY_LIMIT
from trioweb.app.sessions.store import Lifetime, Outcome, StoreError
from trioweb.message.fields import SESSION_LIMIT
from trioweb.message.request import Request
from trioweb.testing import client

# ------------------------------------------------------------------ what is kept


async def test_the_server_ends_a_session_by_itself_at_the_first_of_its_limits(
    redis_server: RedisServer, redis_prefix: str
) -> None:
    def left() -> int:
        answer = redis_server.call("PTTL", f"{redis_prefix}:s:{KEY.hex()}")
        assert isinstance(answer, int)
        return answer

    async with opened(redis_server.url, redis_prefix, Lifetime(100, 1000)) as store:
        await store.create(KEY, {"a": b"1"}, None)
        assert 90_000 < left() <= 100_000
    async with opened(redis_server.url, redis_prefix, Lifetime(100, 50)) as store:
        await store.touch(KEY)
        assert 40_000 < left() <= 50_000
    # A limit that was lowered counts for those that are there, too.
    async with opened(redis_server.url, redis_prefix, Lifetime(0.001, 50)) as store:
        await trio.sleep(0.01)
        assert await store.load(KEY) is None
        assert await store.save(KEY, {"a": b"2"}) is Outcome.GONE


async def test_nothing_in_the_server_is_without_an_end(
    redis_server: RedisServer, redis_prefix: str
) -> None:
    async with opened(redis_server.url, redis_prefix) as store:
        await store.create(KEY, {"a": b"1"}, "ada")
        await store.rotate(KEY, OTHER, {}, "bob")
        await store.create(KEY, {}, "ada")
    names = redis_server.call("KEYS", f"{redis_prefix}:*")
    assert isinstance(names, list)
    assert sorted(names) == [
        f"{redis_prefix}:{rest}".encode()
        for rest in sorted(
            [f"s:{KEY.hex()}", f"s:{OTHER.hex()}", "u:ada", "u:bob"],
        )
    ]
    for name in names:
        assert 0 < int(str(redis_server.call("TTL", name))) <= 43200


async def test_the_sessions_of_a_user_that_have_expired_do_not_gather(
    redis_server: RedisServer, redis_prefix: str
) -> None:
    async with opened(redis_server.url, redis_prefix, Lifetime(0.05, 60)) as store:
        for number in range(300):
            await store.create(key(number), {}, "ada")
            if number % 50 == 49:
                await trio.sleep(0.06)
        assert int(str(redis_server.call("SCARD", f"{redis_prefix}:u:ada"))) < 150
        assert await store.keys("ada") == []
        assert redis_server.call("EXISTS", f"{redis_prefix}:u:ada") == 0


@pytest.mark.usefixtures("unhurried")
async def test_of_very_many_sessions_some_are_listed_and_all_are_ended(
    redis_server: RedisServer, redis_prefix: str
) -> None:
    async with opened(redis_server.url, redis_prefix.ljust(64, "x")[:64]) as store:
        # A hundred at a time: so many may wait on a busy machine too.
        for hundred in range(0, LISTED + 100, 100):
            async with trio.open_nursery() as creating:
                for number in range(hundred, hundred + 100):
                    creating.start_soon(store.create, key(number), {}, "ada")
        assert len(await store.keys("ada")) == LISTED
        await store.delete_all("ada", but=KEY)
        assert await store.keys("ada") == [KEY]
        assert await store.load(OTHER) is None


async def test_the_largest_session_fits_into_a_reply(
    redis_server: RedisServer, redis_prefix: str
) -> None:
    letters = [chr(code) for code in range(33, 127)]
    names = [first + second for first in letters for second in letters]
    fields = dict.fromkeys(names[: SESSION_LIMIT // 3], b"1")
    async with opened(redis_server.url, redis_prefix) as store:
        await store.create(KEY, {}, None)
        assert await store.save(KEY, fields) is Outcome.SAVED
        record = await store.load(KEY)
    assert record is not None
    assert record.fields == fields
    assert len(fields) * len("$2\r\nab\r\n$1\r\n1\r\n") < REPLY_LIMIT


async def test_applications_with_another_prefix_or_database_share_nothing(
    redis_server: RedisServer, redis_prefix: str
) -> None:
    async with opened(redis_server.url, redis_prefix) as store:
        await store.create(KEY, {"a": b"1"}, None)
    async with opened(redis_server.url, redis_prefix + "x") as store:
        assert await store.load(KEY) is None
    async with opened(redis_server.url + "?db=3", redis_prefix) as store:
        assert await store.load(KEY) is None
    async with opened(redis_server.url, redis_prefix) as store:
        assert await store.load(KEY) is not None


async def test_the_identity_of_no_session_is_in_the_server(
    redis_server: RedisServer, redis_prefix: str
) -> None:
    app = App()
    app.use(sessions(RedisStore(redis_server.url, prefix=redis_prefix)))

    @app.get("/")
    async def home(request: Request) -> str:
        request.session.login("ada")
        return "in"

    async with client(app) as visitor:
        identity = (await visitor.get("/")).cookies["sid"]
    hashed = hashlib.sha256(identity.encode()).hexdigest()
    name = f"{redis_prefix}:s:{hashed}"
    dump = [redis_server.call("KEYS", "*"), redis_server.call("HGETALL", name)]
    dump.append(redis_server.call("SMEMBERS", f"{redis_prefix}:u:ada"))
    assert hashed in str(dump)
    assert identity not in str(dump)


# ----------------------------------------------------------- scripts and outcomes


async def test_a_server_that_has_forgotten_its_scripts_is_told_them_again(
    redis_server: RedisServer, redis_prefix: str
) -> None:
    async with opened(redis_server.url, redis_prefix) as store:
        await store.create(KEY, {"n": b"1"}, None)
        redis_server.call("SCRIPT", "FLUSH")
        assert await store.replace(KEY, "n", b"1", b"2") is Outcome.SAVED
        redis_server.call("SCRIPT", "FLUSH")
        record = await store.load(KEY)
    assert record is not None
    assert record.fields == {"n": b"2"}


async def test_a_write_whose_answer_is_lost_is_never_said_to_have_lost(
    redis_server: RedisServer, redis_prefix: str
) -> None:
    # A client that asked again would be told that the field is not what it expects.
    async with proxied(redis_server) as proxy, opened(proxy.url, redis_prefix) as store:
        await store.create(KEY, {"n": b"0"}, None)
        assert await store.replace(KEY, "n", b"0", b"1") is Outcome.SAVED
        proxy.cut = 0
        with pytest.raises(StoreError):
            await store.replace(KEY, "n", b"1", b"2")
        proxy.cut = None
        record = await store.load(KEY)
    assert record is not None
    assert record.fields == {"n": b"2"}


@pytest.mark.parametrize(
    ("command", "words"),
    [
        pytest.param("SET", ["x"], id="a string"),
        pytest.param("HSET", ["\N{LATIN SMALL LETTER Y}", "x"], id="another hash"),
    ],
)
async def test_what_another_program_has_put_there_is_no_session(
    redis_server: RedisServer, redis_prefix: str, command: str, words: list[str]
) -> None:
    redis_server.call(command, f"{redis_prefix}:s:{KEY.hex()}", *words)
    async with opened(redis_server.url, redis_prefix) as store:
        if command == "SET":
            with pytest.raises(StoreError) as caught:
                await store.load(KEY)
            assert "wrong kind of value" in caught.value.reason
        else:
            assert await store.load(KEY) is None
            assert await store.save(KEY, {"a": b"1"}) is Outcome.GONE


@pytest.mark.parametrize("field", [b"\xffborn", b"\xfeodd"])
async def test_a_record_that_was_tampered_with_is_refused(
    redis_server: RedisServer, redis_prefix: str, field: bytes
) -> None:
    name = f"{redis_prefix}:s:{KEY.hex()}"
    async with opened(redis_server.url, redis_prefix) as store:
        await store.create(KEY, {"a": b"1"}, None)
        redis_server.call("HSET", name, field, b"1e300")
        with pytest.raises(StoreError, match="503"):
            await store.load(KEY)
        redis_server.call("DEL", f"{redis_prefix}:u:ada")
        redis_server.call("SADD", f"{redis_prefix}:u:ada", "x" * 200, name[:-1])
        redis_server.call("SET", name[:-1], "x")
        with pytest.raises(StoreError, match="503"):
            await store.keys("ada")
