"""Who else writes the file delays the saves, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from tests.app.sessions.sqlite_files import KEY, beside, fields, opened
from trioweb.app.sessions.sqlite import SQLiteStore
from trioweb.app.sessions.sqlite_writer import WAITING
from trioweb.app.sessions.store import Outcome, StoreError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sessions.db"


class Canary:
    """Counts the turns of the event loop, and the longest of them in seconds."""

    def __init__(self) -> None:
        self.turns = 0
        self.longest = 0.0

    async def sing(self) -> None:
        while True:
            before = trio.current_time()
            await trio.sleep(0.001)
            self.turns += 1
            self.longest = max(self.longest, trio.current_time() - before)


async def hold(path: Path, seconds: float) -> None:
    """Be somebody who writes for so long."""
    with beside(path) as db:
        db.execute("BEGIN IMMEDIATE")
        await trio.sleep(seconds)
        db.execute("COMMIT")


async def test_who_holds_the_lock_delays_the_saves_and_nothing_else(
    path: Path,
) -> None:
    canary = Canary()
    loads: list[float] = []

    async def save(store: SQLiteStore, number: int) -> None:
        assert await store.save(KEY, {f"k{number}": b"1"}) is Outcome.SAVED

    async with opened(path) as store, trio.open_nursery() as singing:
        await store.create(KEY, {}, None)
        singing.start_soon(canary.sing)
        async with trio.open_nursery() as saving:
            saving.start_soon(hold, path, 0.25)
            await trio.sleep(0.01)
            for number in range(100):
                saving.start_soon(save, store, number)
            for _ in range(20):
                before = trio.current_time()
                assert await store.load(KEY) is not None
                loads.append(trio.current_time() - before)
                await trio.sleep(0.005)
        singing.cancel_scope.cancel()
        assert len(await fields(store) or {}) == 100
    assert canary.turns > 50
    assert canary.longest < 0.2
    assert max(loads) < 0.2


async def test_who_holds_the_lock_too_long_fails_the_saves_in_time(path: Path) -> None:
    async def save(store: SQLiteStore) -> None:
        with trio.fail_after(1.2), pytest.raises(StoreError) as caught:
            await store.save(KEY, {"a": b"2"})
        assert "locked" in caught.value.reason

    async with opened(path) as store:
        await store.create(KEY, {"a": b"1"}, None)
        async with trio.open_nursery() as saving:
            saving.start_soon(hold, path, 1.3)
            await trio.sleep(0.01)
            for _ in range(5):
                saving.start_soon(save, store)
        assert await fields(store) == {"a": b"1"}
        assert await store.save(KEY, {"a": b"3"}) is Outcome.SAVED


async def test_more_writes_than_can_be_done_in_time_are_refused_at_once(
    path: Path,
) -> None:
    ended: list[str] = []

    async def touch(store: SQLiteStore) -> None:
        try:
            await store.touch(KEY)
        except StoreError as error:
            ended.append(error.reason)

    async with opened(path) as store:
        async with trio.open_nursery() as touching:
            for _ in range(WAITING + 50):
                touching.start_soon(touch, store)
        assert 40 <= len(ended) <= 60  # the store has writes of its own
        assert "waiting already" in ended[0]
        await store.touch(KEY)
