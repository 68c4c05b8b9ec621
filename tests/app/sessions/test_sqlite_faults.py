"""A file of sessions that is not what it was: 503 until it is, or is another."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from tests.app.sessions.sqlite_files import KEY, fields, opened
from trioweb.app.sessions.sqlite import SQLiteStore
from trioweb.app.sessions.store import Outcome, StoreError
from trioweb.message.errors import SetupError
from trioweb.message.offload import inline, runner

OTHER = b"o" * 32


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sessions.db"


async def refused(store: SQLiteStore) -> None:
    with pytest.raises(StoreError):
        await store.load(KEY)
    with pytest.raises(StoreError):
        await store.save(KEY, {"a": b"2"})


async def test_a_file_that_was_removed_is_missed_until_it_is_back(
    path: Path, autojump_clock: MockClock
) -> None:
    runner.set(inline)
    away = path.with_name("away")
    async with opened(path) as store:
        await store.create(KEY, {"a": b"1"}, None)
        os.rename(path, away)  # noqa: PTH104
        for _ in range(3):
            await refused(store)
            await trio.sleep(2)
        # Another is not made: an unmounted disk must not be papered over.
        assert text_of(path) is None
        os.rename(away, path)  # noqa: PTH104
        assert await fields(store) == {"a": b"1"}
        assert await store.save(KEY, {"a": b"2"}) is Outcome.SAVED
        assert await fields(store) == {"a": b"2"}


async def test_a_file_that_was_replaced_is_taken_for_what_it_is(
    path: Path, autojump_clock: MockClock
) -> None:
    runner.set(inline)
    new = path.with_name("new")
    async with opened(new) as store:
        await store.create(OTHER, {"b": b"1"}, None)
    async with opened(path) as store:
        await store.create(KEY, {"a": b"1"}, None)
        await trio.sleep(2)
        remove(path)
        await refused(store)
        os.rename(new, path)  # noqa: PTH104
        await trio.sleep(2)
        assert (await fields(store), await fields(store, OTHER)) == (None, {"b": b"1"})
        assert await store.save(KEY, {"a": b"1"}) is Outcome.GONE
        assert await store.save(OTHER, {"b": b"2"}) is Outcome.SAVED
    async with opened(path) as store:
        assert await fields(store, OTHER) == {"b": b"2"}


async def test_what_takes_the_place_of_a_file_is_not_trusted(
    path: Path, autojump_clock: MockClock
) -> None:
    runner.set(inline)
    async with opened(path) as store:
        await store.create(KEY, {"a": b"1"}, None)
        remove(path)
        for text in (b"", b"not a database" * 1000):
            put(path, text)
            for _ in range(3):
                await refused(store)
                await trio.sleep(2)
            assert text_of(path) == text
        remove(path)


def put(path: Path, text: bytes) -> None:
    path.write_bytes(text)


def text_of(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def remove(path: Path) -> None:
    for each in path.parent.glob(f"{path.name}*"):
        each.unlink()


async def test_a_damaged_file_gives_503_and_never_another_session(
    path: Path, autojump_clock: MockClock
) -> None:
    runner.set(inline)
    count = 1000
    async with opened(path) as store:
        for number in range(count):
            await store.create(key(number), contents(number), None)
    sound = text_of(path)
    assert sound is not None
    async with opened(path) as store:
        # Half of the file, in its middle; more of it than is kept in memory.
        damage(path, len(sound) // 4, len(sound) // 2)
        found = [await outcome(store, number) for number in range(count)]
        assert StoreError in found
        for number in range(count):
            assert found[number] in (StoreError, None, contents(number))
        # Whoever runs it restores the file.
        remove(path)
        put(path, sound)
        await trio.sleep(2)
        for number in range(count):
            assert await fields(store, key(number)) == contents(number)


def damage(path: Path, begin: int, length: int) -> None:
    with path.open("r+b") as file:
        file.seek(begin)
        file.write(b"\xde\xad\xbe\xef" * (length // 4))


def key(number: int) -> bytes:
    return b"%032d" % (number * 7919)


def contents(number: int) -> dict[str, bytes]:
    return {"me": b"%d" % number, "large": b"%d" % number * 1000}


async def outcome(store: SQLiteStore, number: int) -> object:
    try:
        return await fields(store, key(number))
    except StoreError:
        return StoreError


@contextmanager
def nobody() -> Iterator[None]:
    """Be somebody who may not write everywhere, as root may."""
    user = os.geteuid()
    os.seteuid(user or 65534)  # to whom nothing belongs, on Linux
    try:
        yield
    finally:
        os.seteuid(user)


def test_a_file_that_may_only_be_read_is_refused_at_the_start() -> None:
    async def open_it(path: Path) -> None:
        runner.set(inline)  # threads are somebody each
        async with opened(path):
            pass

    # Not in pytest's folder, into which nobody may look.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sessions.db"
        trio.run(open_it, path)
        path.chmod(0o444)
        Path(folder).chmod(0o755)
        with nobody(), pytest.raises(SetupError, match="cannot be kept in"):
            trio.run(open_it, path)
