"""SQLiteStore: its file, who else has it, and what is written together."""

from __future__ import annotations

import itertools
import os
import shutil
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
import trio

from tests.app.sessions.sqlite_files import KEY, LIFETIME, beside, fields, opened
from trioweb.app.sessions.sqlite import SQLiteStore
from trioweb.app.sessions.store import Outcome
from trioweb.message.errors import SetupError
from trioweb.message.fields import SESSION_LIMIT
from trioweb.message.site import Site


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sessions.db"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# -------------------------------------------------------------------- the file


async def test_its_files_are_for_the_owner_alone(path: Path) -> None:
    async with opened(path) as store:
        await store.create(KEY, {}, None)
        assert {each.name: mode(each) for each in path.parent.iterdir()} == {
            "sessions.db": 0o600,
            "sessions.db-shm": 0o600,
            "sessions.db-wal": 0o600,
        }


async def test_a_file_that_others_can_read_is_closed_to_them(path: Path) -> None:
    async with opened(path):
        pass
    os.chmod(path, 0o644)  # noqa: PTH101
    async with opened(path):
        assert mode(path) == 0o600


async def test_one_file_is_left_when_the_last_store_is_closed(path: Path) -> None:
    async with opened(path) as store:
        await store.create(KEY, {"a": b"1"}, None)
    assert [each.name for each in path.parent.iterdir()] == ["sessions.db"]
    async with opened(path) as store:
        assert await fields(store) == {"a": b"1"}


async def test_no_identity_or_value_is_executed_as_sql(path: Path) -> None:
    hostile = "'; DROP TABLE session; --"
    async with opened(path) as store:
        await store.create(KEY, {hostile: hostile.encode()}, hostile)
        assert await store.keys(hostile) == [KEY]
        assert await fields(store) == {hostile: hostile.encode()}


async def test_stores_may_open_a_new_file_all_at_once(path: Path) -> None:
    found: list[bool] = []

    async def visit(number: int) -> None:
        key = bytes([number]) * 32
        async with opened(path) as store:
            await store.create(key, {}, "ada")
            found.append(await store.load(key) is not None)

    async with trio.open_nursery() as visiting:
        for number in range(8):
            visiting.start_soon(visit, number)
    assert found == [True] * 8


def garbage(path: Path) -> None:
    path.write_bytes(b"these are not the sessions you are looking for" * 100)


def another_programs(path: Path) -> None:
    with beside(path) as db:
        db.execute("CREATE TABLE precious (value)")


def of_another_version(path: Path) -> None:
    shutil.copy(made(path.with_name("made")), path)
    with beside(path) as db:
        db.execute("PRAGMA user_version = 7")


def made(path: Path) -> Path:
    async def make() -> None:
        async with opened(path):
            pass

    trio.run(make)
    return path


NOT_OURS: list[tuple[str, Callable[[Path], None], str]] = [
    ("no database", garbage, "not a database"),
    ("another's", another_programs, "another program's database"),
    ("another version", of_another_version, "of version 7"),
    ("a directory", Path.mkdir, "sessions cannot be kept in"),
]


@pytest.mark.parametrize(
    ("make", "said"), [case[1:] for case in NOT_OURS], ids=[c[0] for c in NOT_OURS]
)
def test_a_file_that_is_not_ours_is_refused_and_left_as_it_is(
    path: Path, make: Callable[[Path], None], said: str
) -> None:
    make(path)
    before = None if path.is_dir() else path.read_bytes()

    async def test() -> None:
        with pytest.raises(SetupError, match=said):
            async with opened(path):
                pytest.fail("it was opened")

    trio.run(test)
    assert before is None or path.read_bytes() == before


async def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "sessions.db"
    with pytest.raises(SetupError, match=r"nowhere.*name a file in a directory"):
        async with opened(path):
            pytest.fail("it was opened")


@pytest.mark.parametrize("path", ["", ":memory:"])
def test_what_is_no_file_is_refused(path: str) -> None:
    with pytest.raises(SetupError, match=r"MemoryStore\(\)"):
        SQLiteStore(path)


async def test_a_store_that_is_not_open_says_so(path: Path) -> None:
    store = SQLiteStore(path)
    with pytest.raises(SetupError, match="not open"):
        await store.load(KEY)
    async with opened(path, store=store):
        with pytest.raises(SetupError, match="in use"):
            async with store.open(Site(1, 0, path.parent), LIFETIME):
                pytest.fail("it was opened twice")
    with pytest.raises(SetupError, match="not open"):
        await store.touch(KEY)


# --------------------------------------------------------------- written together


def log_of(path: Path) -> int:
    return path.with_name(f"{path.name}-wal").stat().st_size


async def test_what_one_turn_writes_is_one_transaction(path: Path) -> None:
    async with opened(path) as store:
        await store.create(KEY, {}, None)
        before = log_of(path)
        async with trio.open_nursery() as saving:
            for number in range(64):
                saving.start_soon(store.save, KEY, {f"k{number}": b"1"})
        # A transaction appends at least one page, and each page once.
        assert log_of(path) - before < 10 * (4096 + 24)
        assert len(await fields(store) or {}) == 64


async def test_writes_beyond_a_batch_are_done_in_later_turns(path: Path) -> None:
    done: list[int] = []
    turns: list[int] = []

    async def save(store: SQLiteStore, number: int) -> None:
        assert await store.save(KEY, {f"k{number}": b"1"}) is Outcome.SAVED
        done.append(number)

    async def watch() -> None:
        while len(done) < 500:
            turns.append(len(done))
            await trio.lowlevel.checkpoint()

    async with opened(path) as store:
        await store.create(KEY, {}, None)
        async with trio.open_nursery() as saving:
            for number in range(500):
                saving.start_soon(save, store, number)
            saving.start_soon(watch)
    steps = [after - before for before, after in itertools.pairwise(turns)]
    # Who looks may do so before the others of one turn, and after those of the next.
    assert max(steps) <= 2 * 64


async def test_a_write_that_is_cancelled_before_is_not_done(path: Path) -> None:
    async with opened(path) as store:
        await store.create(KEY, {}, None)
        with trio.CancelScope() as scope:
            scope.cancel()
            await store.save(KEY, {"a": b"1"})
        assert await store.save(KEY, {"b": b"1"}) is Outcome.SAVED
        assert await fields(store) == {"b": b"1"}


async def test_writes_are_all_or_none_wherever_they_are_cancelled(path: Path) -> None:
    async def save(store: SQLiteStore, steps: int) -> None:
        async with trio.open_nursery() as saving:
            changes = dict.fromkeys((f"a{steps}", f"b{steps}"), b"1")
            saving.start_soon(store.save, KEY, changes)
            for _ in range(steps):
                await trio.lowlevel.checkpoint()
            saving.cancel_scope.cancel()

    async with opened(path) as store:
        await store.create(KEY, {}, None)
        for steps in range(10):
            await save(store, steps)
        found = await fields(store) or {}
        for steps in range(10):
            assert (f"a{steps}" in found) is (f"b{steps}" in found)
        assert {"a9", "b9"} <= found.keys()
        assert await store.save(KEY, {"last": b"1"}) is Outcome.SAVED


@pytest.mark.parametrize("text", ["\ud800", "a\udfff"])
async def test_text_that_is_none_is_refused_to_its_writer_alone(
    path: Path, text: str
) -> None:
    async with opened(path) as store:
        await store.create(KEY, {"a": b"1"}, None)
        with pytest.raises(UnicodeEncodeError):
            await store.save(KEY, {text: b"1"})
        with pytest.raises(UnicodeEncodeError):
            await store.replace(KEY, text, None, b"1")
        with pytest.raises(UnicodeEncodeError):
            await store.rotate(KEY, KEY[::-1], {}, text)
        with pytest.raises(UnicodeEncodeError):
            await store.keys(text)
        assert await store.save(KEY, {"b": b"1"}) is Outcome.SAVED


# ------------------------------------------------------------------------ the log


async def until(true: Callable[[], bool]) -> None:
    """Wait for what a thread does to a file."""
    with trio.fail_after(5):
        while not true():  # noqa: ASYNC110  # a file tells nobody
            await trio.sleep(0.01)


async def test_the_log_is_brought_into_the_file_while_it_runs(path: Path) -> None:
    async with opened(path) as store:
        await store.create(KEY, {}, None)
        for number in range(1000):
            await store.save(KEY, {"n": b"%d" % number})
        # What another process finds that does not look into the log.
        look = f"file:{path}?mode=ro&immutable=1"
        await until(lambda: rows_in(look) == 1)


def rows_in(uri: str) -> int:
    db = sqlite3.connect(uri, uri=True)
    try:
        (count,) = db.execute("SELECT count(*) FROM session").fetchone()
    except sqlite3.DatabaseError:
        return 0  # in the middle of it
    finally:
        db.close()
    return int(count)


async def test_a_log_that_has_grown_large_is_cut(path: Path) -> None:
    async with opened(path) as store:
        await store.create(KEY, {}, None)
        for number in range(1000):
            # What has not changed is not written again.
            large = b"%04d" % number * (SESSION_LIMIT // 4 - 2)
            await store.save(KEY, {"large": large})
        await until(lambda: log_of(path) < 1_000_000)
        assert await fields(store) == {"large": large}
