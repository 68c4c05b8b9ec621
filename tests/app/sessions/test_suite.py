"""The suite of stores: one behaviour, whatever keeps the sessions."""

from __future__ import annotations

import hashlib
import random

import pytest
import trio

from tests.app.sessions.stores import Stand
from trioweb.app.app import App
from trioweb.app.sessions.layer import sessions
from trioweb.app.sessions.store import Outcome, Store
from trioweb.message.fields import SESSION_LIMIT
from trioweb.message.request import Request
from trioweb.testing import client
from trioweb.testing.httpx_client import Client

KEY = hashlib.sha256(b"one").digest()
OTHER = hashlib.sha256(b"two").digest()
THIRD = hashlib.sha256(b"three").digest()


async def fields(store: Store, key: bytes = KEY) -> dict[str, bytes] | None:
    record = await store.load(key)
    return None if record is None else dict(record.fields)


# ------------------------------------------------------------------ one record


def test_what_was_never_created_is_not_there_and_cannot_be_written(
    stand: Stand,
) -> None:
    async def test(store: Store) -> None:
        assert await store.load(KEY) is None
        assert await store.save(KEY, {"a": b"1"}) is Outcome.GONE
        assert await store.replace(KEY, "a", None, b"1") is Outcome.GONE
        assert await store.rotate(KEY, OTHER, {"a": b"1"}, None) is Outcome.GONE
        await store.touch(KEY)
        await store.delete(KEY)
        assert await store.load(KEY) is None
        assert await store.load(OTHER) is None

    stand.run(test)


def test_what_was_created_is_read_back_byte_by_byte(stand: Stand) -> None:
    every = {"empty": b'""', "": b"0", "größe\x00\n:": "größe".encode(), "0": b"\xff\0"}

    async def test(store: Store) -> None:
        await store.create(KEY, every, "ada\x00ß")
        record = await store.load(KEY)
        assert record is not None
        assert (dict(record.fields), record.user) == (every, "ada\x00ß")
        assert 0 <= record.age < 60
        assert 0 <= record.idle < 60
        await store.create(OTHER, {}, None)
        record = await store.load(OTHER)
        assert record is not None
        assert (dict(record.fields), record.user) == ({}, None)

    stand.run(test)


def test_names_that_a_store_uses_itself_are_names_like_others(stand: Stand) -> None:
    names = ["born", "seen", "user", "key", "fields", "f:a", "~about", "sid", "1"]
    every = dict.fromkeys(names, b'"mine"')

    async def test(store: Store) -> None:
        await store.create(KEY, every, None)
        assert await fields(store) == every
        assert await store.save(KEY, dict.fromkeys(names)) is Outcome.SAVED
        assert await fields(store) == {}
        assert (await store.load(KEY)) is not None

    stand.run(test)


def test_a_save_writes_the_fields_it_names_and_no_others(stand: Stand) -> None:
    async def test(store: Store) -> None:
        await store.create(KEY, {"a": b"1", "b": b"2", "c": b"3"}, None)
        assert await store.save(KEY, {"a": b"9", "b": None, "d": b"4"}) is Outcome.SAVED
        assert await fields(store) == {"a": b"9", "c": b"3", "d": b"4"}
        assert await store.save(KEY, {"gone": None}) is Outcome.SAVED
        assert await fields(store) == {"a": b"9", "c": b"3", "d": b"4"}

    stand.run(test)


def test_a_record_that_has_ended_is_never_made_again(stand: Stand) -> None:
    async def test(store: Store) -> None:
        await store.create(KEY, {"a": b"1"}, "ada")
        await store.delete(KEY)
        assert await store.save(KEY, {"a": b"2"}) is Outcome.GONE
        assert await store.replace(KEY, "a", b"1", b"2") is Outcome.GONE
        assert await store.rotate(KEY, OTHER, {}, "ada") is Outcome.GONE
        await store.touch(KEY)
        assert (await fields(store), await fields(store, OTHER)) == (None, None)
        assert await store.keys("ada") == []

    stand.run(test)


def test_a_replace_writes_only_over_what_it_expects(stand: Stand) -> None:
    async def test(store: Store) -> None:
        await store.create(KEY, {"n": b"1"}, None)
        assert await store.replace(KEY, "n", None, b"2") is Outcome.CHANGED
        assert await store.replace(KEY, "n", b"0", b"2") is Outcome.CHANGED
        assert await store.replace(KEY, "n", b"1", b"2") is Outcome.SAVED
        assert await store.replace(KEY, "m", b"", b"2") is Outcome.CHANGED
        assert await store.replace(KEY, "m", None, b"3") is Outcome.SAVED
        assert await fields(store) == {"n": b"2", "m": b"3"}

    stand.run(test)


def test_a_rotation_moves_everything_and_the_old_key_is_dead(stand: Stand) -> None:
    async def test(store: Store) -> None:
        await store.create(KEY, {"a": b"1", "b": b"2"}, None)
        changes = {"a": None, "c": b"3"}
        assert await store.rotate(KEY, OTHER, changes, "ada") is Outcome.SAVED
        assert (await fields(store), await fields(store, OTHER)) == (
            None,
            {"b": b"2", "c": b"3"},
        )
        record = await store.load(OTHER)
        assert record is not None
        assert record.user == "ada"
        assert await store.save(KEY, {"late": b"1"}) is Outcome.GONE
        assert await store.rotate(KEY, THIRD, {}, "ada") is Outcome.GONE
        assert await store.keys("ada") == [OTHER]

    stand.run(test)


# --------------------------------------------------------------------- how much


def test_a_session_never_grows_over_its_limit(stand: Stand) -> None:
    async def test(store: Store) -> None:
        await store.create(KEY, {"a": b"1"}, None)
        room = SESSION_LIMIT - len("a1") - len("big")
        full = {"big": b"x" * (room + 1), "b": b"1", "a": None}
        assert await store.save(KEY, {**full, "a": b"1"}) is Outcome.FULL
        assert await store.replace(KEY, "big", None, b"x" * (room + 1)) is Outcome.FULL
        long = {"big": b"x" * SESSION_LIMIT}
        assert await store.rotate(KEY, OTHER, long, None) is Outcome.FULL
        assert (await fields(store), await fields(store, OTHER)) == ({"a": b"1"}, None)
        assert await store.save(KEY, {"big": b"x" * room}) is Outcome.SAVED
        assert await store.save(KEY, {"b": b""}) is Outcome.FULL
        assert await store.save(KEY, {"big": None, "b": b""}) is Outcome.SAVED
        assert await fields(store) == {"a": b"1", "b": b""}

    stand.run(test)


def test_the_limit_counts_bytes_of_names_and_values(stand: Stand) -> None:
    async def test(store: Store) -> None:
        await store.create(KEY, {}, None)
        name = "ß" * 100
        assert await store.save(KEY, {name: b"x" * SESSION_LIMIT}) is Outcome.FULL
        exact = b"x" * (SESSION_LIMIT - 200)
        assert await store.save(KEY, {name: exact + b"x"}) is Outcome.FULL
        assert await store.save(KEY, {name: exact}) is Outcome.SAVED

    stand.run(test)


# --------------------------------------------------------------------- how long


def test_a_session_ends_when_it_is_not_used(stand: Stand) -> None:
    idle = stand.lifetime.idle

    async def test(store: Store) -> None:
        await store.create(KEY, {"a": b"1"}, "ada")
        await trio.sleep(idle * 0.5)
        record = await store.load(KEY)
        assert record is not None
        assert idle * 0.4 < record.idle < idle
        await trio.sleep(idle * 0.6)  # reading alone is no use: the layer touches
        assert await store.load(KEY) is None
        assert await store.save(KEY, {"a": b"2"}) is Outcome.GONE
        assert await store.rotate(KEY, OTHER, {}, "ada") is Outcome.GONE

    stand.run(test)


def test_a_touch_and_every_write_begin_the_idle_time_anew(stand: Stand) -> None:
    idle = stand.lifetime.idle

    async def test(store: Store) -> None:
        await store.create(KEY, {"a": b"1"}, None)
        await trio.sleep(idle * 0.6)
        await store.touch(KEY)
        await trio.sleep(idle * 0.6)
        assert await store.save(KEY, {"a": b"2"}) is Outcome.SAVED
        await trio.sleep(idle * 0.6)
        assert await store.replace(KEY, "a", b"2", b"3") is Outcome.SAVED
        await trio.sleep(idle * 0.6)
        assert await fields(store) == {"a": b"3"}

    stand.run(test)


def test_a_session_ends_at_its_age_however_much_it_is_used(stand: Stand) -> None:
    idle, absolute = stand.lifetime.idle, stand.lifetime.absolute

    async def test(store: Store) -> None:
        await store.create(KEY, {"a": b"1"}, "ada")
        key, new = KEY, OTHER
        for _ in range(int(absolute / (idle * 0.5)) - 1):
            await trio.sleep(idle * 0.5)
            await store.touch(key)
            assert await store.rotate(key, new, {}, "ada") is Outcome.SAVED
            key, new = new, key
        await trio.sleep(idle * 0.5 + absolute % (idle * 0.5) + idle * 0.1)
        assert await store.load(key) is None
        assert await store.save(key, {"a": b"1"}) is Outcome.GONE

    stand.run(test)


def test_a_session_begins_anew_when_somebody_signs_in(stand: Stand) -> None:
    idle = stand.lifetime.idle

    async def test(store: Store) -> None:
        await store.create(KEY, {"a": b"1"}, None)
        await trio.sleep(idle * 0.5)
        assert await store.rotate(KEY, OTHER, {}, None) is Outcome.SAVED
        record = await store.load(OTHER)
        assert record is not None
        assert record.age > idle * 0.4
        assert await store.rotate(OTHER, KEY, {}, "ada") is Outcome.SAVED
        record = await store.load(KEY)
        assert record is not None
        assert record.age < idle * 0.4

    stand.run(test)


# ------------------------------------------------------------------------ users


def test_the_sessions_of_a_user_are_known_and_end_together(stand: Stand) -> None:
    async def test(store: Store) -> None:
        await store.create(KEY, {}, "ada")
        await store.create(OTHER, {}, None)
        await store.create(THIRD, {}, "bob")
        assert await store.rotate(OTHER, OTHER[::-1], {}, "ada") is Outcome.SAVED
        assert set(await store.keys("ada")) == {KEY, OTHER[::-1]}
        assert await store.keys("nobody") == []
        await store.delete_all("ada", but=KEY)
        assert (await store.keys("ada"), await fields(store)) == ([KEY], {})
        await store.delete_all("ada")
        assert (await store.keys("ada"), await fields(store)) == ([], None)
        assert await store.keys("bob") == [THIRD]
        await store.delete_all("nobody")

    stand.run(test)


def test_a_session_that_changes_hands_is_listed_once(stand: Stand) -> None:
    async def test(store: Store) -> None:
        await store.create(KEY, {}, "ada")
        assert await store.rotate(KEY, OTHER, {}, "bob") is Outcome.SAVED
        assert (await store.keys("ada"), await store.keys("bob")) == ([], [OTHER])
        await store.delete_all("ada")
        assert await fields(store, OTHER) == {}

    stand.run(test)


# --------------------------------------------------------- many at the same time


def test_a_hundred_saves_at_once_keep_a_hundred_fields(stand: Stand) -> None:
    async def test(store: Store) -> None:
        await store.create(KEY, {}, None)

        async def add(number: int) -> None:
            changes = {f"k{number}": b"%d" % number}
            assert await store.save(KEY, changes) is Outcome.SAVED

        async with trio.open_nursery() as saving:
            for number in range(100):
                saving.start_soon(add, number)
        assert await fields(store) == {f"k{n}": b"%d" % n for n in range(100)}

    stand.run(test)


def test_two_openings_of_a_store_that_lasts_share_its_sessions(stand: Stand) -> None:
    async def reopened(first: Store) -> None:
        await first.create(KEY, {"a": b"1"}, "ada")
        second = stand.make()
        async with second.open(stand.site, stand.lifetime):
            kept = await fields(second)
            # In memory each is a world of its own.
            assert kept == (
                None if type(first).__name__ == "MemoryStore" else {"a": b"1"}
            )

    stand.run(reopened)


# --------------------------------------------------------------- through the layer


def application(stand: Stand) -> App:
    app = App()
    lifetime = stand.lifetime
    app.use(sessions(stand.make(), idle=lifetime.idle, absolute=lifetime.absolute))

    @app.get("/begin")
    async def begin(request: Request) -> str:
        request.session["begun"] = True
        return "begun"

    @app.get("/add/{name}")
    async def add(request: Request, name: str) -> str:
        request.session[name] = name
        await trio.sleep(0.001)
        return name

    @app.get("/count")
    async def count(request: Request) -> str:
        n = await request.session.update("n", lambda n: (n or 0) + 1)
        return str(n)

    @app.get("/all")
    async def every(request: Request) -> dict[str, object]:
        return dict(request.session)

    @app.get("/late/{steps:int}")
    async def late(request: Request, steps: int) -> str:
        request.session["late"] = steps
        for _ in range(steps):
            await trio.lowlevel.checkpoint()
        return "saved"

    @app.get("/out")
    async def out(request: Request) -> str:
        request.session.destroy()
        return "out"

    return app


@pytest.mark.usefixtures("unhurried")
def test_a_hundred_requests_that_each_add_a_key_add_a_hundred(stand: Stand) -> None:
    async def test() -> None:
        async with client(application(stand.lasting)) as visitor:
            await visitor.get("/begin")

            async def add(number: int) -> None:
                assert (await visitor.get(f"/add/k{number}")).status_code == 200

            async with trio.open_nursery() as adding:
                for number in range(100):
                    adding.start_soon(add, number)
            found = (await visitor.get("/all")).json()
        expected = {f"k{number}": f"k{number}" for number in range(100)}
        assert found == {"begun": True, **expected}

    stand.run_app(test)


@pytest.mark.usefixtures("unhurried")
def test_a_hundred_updates_of_a_counter_count_to_a_hundred(stand: Stand) -> None:
    async def test() -> None:
        answers: list[str] = []
        async with client(application(stand.lasting)) as visitor:
            await visitor.get("/begin")

            async def count() -> None:
                answer = await visitor.get("/count")
                assert answer.status_code == 200, answer.text
                answers.append(answer.text)

            async with trio.open_nursery() as counting:
                for _ in range(100):
                    counting.start_soon(count)
            assert (await visitor.get("/all")).json()["n"] == 100
        assert sorted(map(int, answers)) == list(range(1, 101))

    stand.run_app(test)


# Interleavings of a log out with a request that saves late.  A store that waits for the
# system takes its time; what is to be tried there is the same.
SEEDS = 300
SEEDS_OF_REAL_TIME = 30


@pytest.mark.usefixtures("unhurried")
def test_a_log_out_wins_over_whatever_is_saved_late(stand: Stand) -> None:
    async def test() -> None:
        async with client(application(stand.lasting)) as visitor:
            for seed in range(SEEDS if stand.virtual else SEEDS_OF_REAL_TIME):
                chance = random.Random(seed)  # a seed, no secret
                await race(visitor, chance.randrange(30), chance.randrange(30))

    async def race(visitor: Client, first: int, second: int) -> None:
        begun = await visitor.get("/begin")
        cookie = {"cookie": f"sid={begun.cookies['sid']}"}
        visitor.cookies.clear()
        statuses: list[int] = []

        async def leave() -> None:
            for _ in range(second):
                await trio.lowlevel.checkpoint()
            assert (await visitor.get("/out", headers=cookie)).status_code == 200

        async def write() -> None:
            answer = await visitor.get(f"/late/{first}", headers=cookie)
            statuses.append(answer.status_code)
            # A fresh session is not what was signed out.
            visitor.cookies.clear()

        async with trio.open_nursery() as racing:
            racing.start_soon(write)
            racing.start_soon(leave)
        visitor.cookies.clear()
        # 409: saved nothing, and did not say so.
        assert statuses[0] in {200, 409}
        assert (await visitor.get("/all", headers=cookie)).json() == {}

    stand.run_app(test)
