"""A disk that is full: 503 for what would be written, while all the rest goes on."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from tests.app.sessions.sqlite_files import KEY, LIFETIME, beside
from trioweb.app.app import App
from trioweb.app.sessions.layer import sessions
from trioweb.app.sessions.sqlite import SQLiteStore
from trioweb.app.sessions.sqlite_clock import Clock
from trioweb.app.sessions.sqlite_database import Database
from trioweb.app.sessions.sqlite_rows import Rows
from trioweb.app.sessions.sqlite_writer import Writer
from trioweb.app.sessions.store import StoreError
from trioweb.message.request import Request
from trioweb.testing import client


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sessions.db"


async def test_on_a_full_disk_sessions_can_still_be_ended(path: Path) -> None:
    large = {"large": b"x" * 16_000}
    database = Database(path, LIFETIME)
    clock = Clock(lambda: 1_700_000_000.0)
    writer = Writer(database, clock)
    failed: list[str] = []

    async def create(number: int) -> None:
        write = partial(Rows.create, key=b"%032d" % number, fields=large, user=None)
        try:
            await writer.write(write)
        except StoreError as error:
            failed.append(error.reason)

    def limit(rows: Rows, pages: int) -> None:
        rows.db.execute(f"PRAGMA max_page_count = {pages}")

    async def fill(pages: int) -> None:
        quick = database.quick()
        assert quick is not None
        limit(quick, pages)
        await database.patiently(partial(limit, pages=pages))

    await database.open(clock())
    async with trio.open_nursery() as writing:
        writing.start_soon(writer.run)
        await writer.write(partial(Rows.create, key=KEY, fields={}, user=None))
        await fill(20)
        async with trio.open_nursery() as creating:
            for number in range(20):
                creating.start_soon(create, number)
            creating.start_soon(writer.write, partial(Rows.delete, key=KEY))
        assert 10 < len(failed) < 20
        assert "full" in failed[0]
        assert await database.read(partial(Rows.keys, user=b"")) == []
        await fill(10_000)
        failed.clear()
        await create(100)
        assert failed == []
        writing.cancel_scope.cancel()
    await database.close(clock())
    with beside(path) as db:
        found = db.execute("SELECT count(*) FROM session WHERE key = ?", (KEY,))
        assert found.fetchone() == (0,)


def keeping(path: Path) -> App:
    app = App()
    app.use(sessions(SQLiteStore(path)))

    @app.get("/put/{value}")
    async def put(request: Request, value: str) -> str:
        request.session["value"] = value
        return "put"

    @app.get("/get")
    async def get(request: Request) -> str:
        return str(request.session.get("value"))

    return app


@contextmanager
def no_file_longer_than(size: int) -> Iterator[None]:
    """Let this process's writes fail past *size* bytes of a file."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_a_request_that_cannot_save_is_answered_503_until_it_can(
    path: Path, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with client(keeping(path)) as visitor:
        await visitor.get("/put/first")
        with no_file_longer_than(log_of(path)):
            for _ in range(3):
                answer = await visitor.get("/put/second")
                assert answer.status_code == 503
                assert answer.headers["retry-after"] == "1"
                assert str(path) not in answer.text
                assert (await visitor.get("/get")).status_code in {200, 503}
                await trio.sleep(2)
        await trio.sleep(2)
        assert (await visitor.get("/get")).text == "first"
        assert (await visitor.get("/put/third")).status_code == 200
        assert (await visitor.get("/get")).text == "third"
    assert str(path) in caplog.text  # whoever runs it is told


def log_of(path: Path) -> int:
    return path.with_name(f"{path.name}-wal").stat().st_size


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", str(disk)]
    if not shutil.which("mount") or subprocess.run(command, check=False).returncode:
        pytest.skip("to mount a small disk takes root")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


async def test_on_a_disk_that_is_full_it_is_503_until_there_is_room(
    small_disk: Path, autojump_clock: MockClock
) -> None:
    filler = small_disk / "filler"
    async with client(keeping(small_disk / "sessions.db")) as visitor:
        await visitor.get("/put/first")
        fill(filler)
        statuses = [(await visitor.get(f"/put/{n}")).status_code for n in range(20)]
        assert statuses[-3:] == [503] * 3  # the last page had some room
        assert (await visitor.get("/get")).status_code == 200
        os.unlink(filler)  # noqa: PTH108
        assert (await visitor.get("/put/last")).status_code == 200
        assert (await visitor.get("/get")).text == "last"


def fill(filler: Path) -> None:
    with filler.open("wb", 0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
