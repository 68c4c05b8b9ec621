"""The clock of SQLiteStore: it may be set, and no session lives longer for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from tests.app.sessions.sqlite_files import KEY, beside, fields, opened
from trioweb.app.sessions.sqlite import SQLiteStore
from trioweb.app.sessions.sqlite_clock import LATEST, Clock
from trioweb.app.sessions.store import Lifetime, Outcome
from trioweb.message.offload import inline, runner

HOUR = 3600.0
LIFETIME = Lifetime(idle=HOUR, absolute=10 * HOUR)


@dataclass
class Wall:
    """A clock on the wall, which a test sets; it does not go by itself."""

    time: float = 1_700_000_000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sessions.db"


@pytest.fixture
def wall() -> Wall:
    return Wall()


@asynccontextmanager
async def timed(
    path: Path, wall: Wall, lifetime: Lifetime = LIFETIME
) -> AsyncIterator[SQLiteStore]:
    runner.set(inline)  # a thread would count as idleness
    async with opened(path, lifetime, SQLiteStore(path, wall=wall)) as store:
        yield store


# -------------------------------------------------------------------- by itself


async def test_it_is_what_the_wall_says(wall: Wall, autojump_clock: MockClock) -> None:
    clock = Clock(wall)
    assert clock() == wall.time
    wall.time += 5
    assert clock() == wall.time


async def test_it_goes_on_when_the_wall_is_set_back(
    wall: Wall, autojump_clock: MockClock
) -> None:
    clock = Clock(wall)
    began = clock()
    wall.time -= 1000 * HOUR
    await trio.sleep(60)
    assert clock() == began + 60
    await trio.sleep(60)
    assert clock() == began + 120


async def test_many_looks_do_not_slow_it(wall: Wall, autojump_clock: MockClock) -> None:
    clock = Clock(wall)
    began = clock()
    for _ in range(10_000):
        await trio.sleep(1e-8)  # less than can be told from such a time
        clock()
    assert clock() - began == pytest.approx(1e-4, abs=1e-6)


async def test_it_learns_a_later_time_and_no_earlier(
    wall: Wall, autojump_clock: MockClock
) -> None:
    clock = Clock(wall)
    began = clock()
    clock.lift(began - HOUR)
    assert clock() == began
    clock.lift(began + HOUR)
    assert clock() == began + HOUR
    await trio.sleep(1)
    assert clock() == began + HOUR + 1


@pytest.mark.parametrize("time", [-1.0, 0.0, LATEST, 1e300, float("inf")])
async def test_no_time_is_too_strange(
    path: Path, wall: Wall, time: float, autojump_clock: MockClock
) -> None:
    wall.time = time
    for key in (KEY, KEY[::-1] + b"."):
        async with timed(path, wall) as store:
            await store.create(key, {"a": b"1"}, None)
            await trio.sleep(HOUR / 2)
            assert await store.save(key, {"b": b"1"}) is Outcome.SAVED
            await trio.sleep(HOUR * 0.9)
            assert await fields(store, key) == {"a": b"1", "b": b"1"}
            await trio.sleep(HOUR * 1.1)
            assert await fields(store, key) is None


# -------------------------------------------------------------------- of a store


async def test_a_clock_set_forward_ends_sessions_for_good(
    path: Path, wall: Wall, autojump_clock: MockClock
) -> None:
    async with timed(path, wall) as store:
        await store.create(KEY, {"a": b"1"}, None)
        wall.time += 2 * HOUR
        assert await fields(store) is None
        wall.time -= 2 * HOUR
        assert await fields(store) is None
        assert await store.save(KEY, {"a": b"1"}) is Outcome.GONE
        other = KEY[::-1] + b"."
        await store.create(other, {"a": b"1"}, None)
        assert await fields(store, other) == {"a": b"1"}
    async with timed(path, wall) as store:
        assert await fields(store) is None
        assert await fields(store, other) == {"a": b"1"}


async def test_a_clock_set_back_gives_no_session_more_time(
    path: Path, wall: Wall, autojump_clock: MockClock
) -> None:
    async with timed(path, wall) as store:
        await store.create(KEY, {"a": b"1"}, None)
        wall.time -= 100 * HOUR
        await trio.sleep(HOUR * 0.9)
        record = await store.load(KEY)
        assert record is not None
        assert record.idle == pytest.approx(HOUR * 0.9)
        await trio.sleep(HOUR * 0.2)
        assert await fields(store) is None


async def test_a_clock_set_back_between_two_runs_gives_none_either(
    path: Path, wall: Wall, autojump_clock: MockClock
) -> None:
    async with timed(path, wall) as store:
        await store.create(KEY, {"a": b"1"}, None)
        await trio.sleep(HOUR * 0.9)
    wall.time -= 100 * HOUR
    async with timed(path, wall) as store:
        assert await fields(store) == {"a": b"1"}
        await trio.sleep(HOUR * 0.2)
        assert await fields(store) is None


async def test_what_one_process_has_called_dead_is_dead_for_another(
    path: Path, wall: Wall, autojump_clock: MockClock
) -> None:
    ahead = Wall(wall.time + 2 * HOUR)
    async with timed(path, wall) as store:
        await store.create(KEY, {"a": b"1"}, None)
        async with timed(path, ahead) as other:
            assert await fields(other) is None
        assert await fields(store) is None


async def test_a_session_written_by_a_clock_ahead_has_no_negative_age(
    path: Path, wall: Wall, autojump_clock: MockClock
) -> None:
    ahead = Wall(wall.time + 2 * HOUR)
    async with timed(path, wall) as store:
        await trio.sleep(1)
        async with timed(path, ahead) as other:
            await other.create(KEY, {"a": b"1"}, None)
            await other.touch(KEY)
        record = await store.load(KEY)
        assert record is not None
        assert (record.age, record.idle) == (0, 0)
        assert await store.save(KEY, {"b": b"1"}) is Outcome.SAVED
        # Within a minute it hears of the other's time, and that counts from then on.
        await trio.sleep(61)
        await trio.sleep(HOUR)
        assert await fields(store) is None


@pytest.mark.parametrize("floor", ["-5", "1e300", "9e999", "'soon'", "x'00'"])
async def test_a_floor_that_is_no_time_is_not_believed(
    path: Path, wall: Wall, floor: str, autojump_clock: MockClock
) -> None:
    async with timed(path, wall) as store:
        await store.create(KEY, {"a": b"1"}, None)
    with beside(path) as db:
        db.execute(f"UPDATE clock SET floor = {floor}")  # noqa: S608  # of this table
    async with timed(path, wall) as store:
        await trio.sleep(120)
        assert await fields(store) == {"a": b"1"}


# ---------------------------------------------------------------------- sweeping


def rows(path: Path) -> int:
    with beside(path) as db:
        (count,) = db.execute("SELECT count(*) FROM session").fetchone()
    return int(count)


async def test_what_has_expired_is_removed_from_the_file(
    path: Path, wall: Wall, autojump_clock: MockClock
) -> None:
    async with timed(path, wall) as store:
        async with trio.open_nursery() as creating:
            for number in range(500):
                key = b"%032d" % number
                creating.start_soon(store.create, key, {}, "ada")
        await trio.sleep(HOUR / 2)
        await store.touch(b"%032d" % 7)
        assert rows(path) == 500
        await trio.sleep(HOUR * 0.7)
        assert rows(path) == 1
        assert await store.keys("ada") == [b"%032d" % 7]


async def test_a_shorter_lifetime_counts_for_sessions_from_before(
    path: Path, wall: Wall, autojump_clock: MockClock
) -> None:
    async with timed(path, wall) as store:
        await store.create(KEY, {}, None)
        await trio.sleep(120)
    short = Lifetime(60, 600)
    async with timed(path, wall, short) as store:
        assert await fields(store) is None


async def test_a_longer_lifetime_keeps_what_was_to_be_swept(
    path: Path, wall: Wall, autojump_clock: MockClock
) -> None:
    short = Lifetime(60, 600)
    async with timed(path, wall, short) as store, trio.open_nursery() as creating:
        for number in range(100):
            creating.start_soon(store.create, b"%032d" % number, {}, None)
    async with timed(path, wall) as store:
        await trio.sleep(HOUR * 0.9)
        assert await fields(store, b"%032d" % 99) == {}
        assert rows(path) == 100
        await trio.sleep(HOUR * 0.3)
        assert rows(path) == 0
