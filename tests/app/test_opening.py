"""Opening: in a thread, but for what a thread has just opened."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest
import trio

from trioweb.app import opening
from trioweb.app.opening import NAMES, opened
from trioweb.message.errors import NotFound
from trioweb.message.offload import in_thread, runner

T = TypeVar("T")


@dataclass
class Threads:
    used: int = 0

    async def run(self, work: Callable[[], T], /) -> T:
        self.used += 1
        return await in_thread(work)


@contextmanager
def counted() -> Iterator[Threads]:
    threads = Threads()
    token = runner.set(threads.run)
    yield threads
    runner.reset(token)


async def content(path: Path) -> bytes:
    found = await opened(path)
    with found.file.source as source:
        return source.read() or b""


def near(path: Path) -> Path:
    """*path*, where the file system can tell what is in memory."""
    with tempfile.TemporaryFile(dir=path.parent) as file:
        try:
            os.preadv(file.fileno(), [bytearray(1)], 0, os.RWF_NOWAIT)
        except (AttributeError, OSError):
            pytest.skip("this file system cannot read without waiting")
    return path


async def test_what_was_just_opened_needs_no_thread(tmp_path: Path) -> None:
    path = near(tmp_path / "a")
    path.write_bytes(b"one")
    with counted() as threads:
        for _ in range(3):
            assert await content(path) == b"one"
    assert threads.used == 1


async def test_it_is_opened_as_it_is_now(tmp_path: Path) -> None:
    path = near(tmp_path / "a")
    path.write_bytes(b"one")
    assert await content(path) == b"one"
    (tmp_path / "b").write_bytes(b"and another")
    (tmp_path / "b").rename(path)
    assert await content(path) == b"and another"
    path.unlink()
    with pytest.raises(NotFound):
        await opened(path)
    path.mkdir()
    with pytest.raises(NotFound):
        await opened(path)


async def test_after_a_while_it_takes_a_thread_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = near(tmp_path / "a")
    path.write_bytes(b"one")
    monkeypatch.setattr(opening, "AT_HAND", 0.0)
    with counted() as threads:
        await content(path)
        await content(path)
    assert threads.used == 2


async def test_so_many_names_are_remembered_and_no_more(tmp_path: Path) -> None:
    paths = [near(tmp_path / f"{number}") for number in range(NAMES + 1)]
    for path in paths:
        path.touch()
    with counted() as threads:
        for path in (*paths, paths[-1], paths[0]):
            await content(path)
    assert threads.used == NAMES + 2


async def test_a_file_that_is_not_in_memory_is_near_too(tmp_path: Path) -> None:
    path = near(tmp_path / "a")
    path.write_bytes(bytes(1 << 20))
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    with counted() as threads:
        (await opened(path)).file.close()
        (await opened(path)).file.close()
    assert threads.used == 1


@pytest.mark.skipif(not Path("/proc/version").is_file(), reason="there is no /proc")
async def test_where_files_cannot_be_read_at_once_each_takes_a_thread() -> None:
    """Such as what the system makes up as it is read."""
    with counted() as threads:
        assert await content(Path("/proc/version"))
        assert await content(Path("/proc/version"))
    assert threads.used == 2


async def test_cancelled_it_opens_nothing(tmp_path: Path) -> None:
    path = near(tmp_path / "a")
    path.touch()
    await content(path)
    with trio.CancelScope() as scope:
        scope.cancel()
        await opened(path)
        raise AssertionError
    assert scope.cancelled_caught
