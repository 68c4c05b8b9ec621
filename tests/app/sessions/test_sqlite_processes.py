"""Several processes on one file of sessions, and one that is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import trio

from tests.app.sessions.sqlite_files import fields, opened
from tests.apps import sessions_in_file

PROGRAM = [sys.executable, "-m", sessions_in_file.__name__]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sessions.db"


async def test_two_processes_on_one_file_lose_nothing_of_each_other(
    path: Path,
) -> None:
    times = 100
    async with opened(path, sessions_in_file.LIFETIME) as store:
        await store.create(sessions_in_file.KEY, {"n": b"0"}, None)
        with trio.fail_after(60):
            async with trio.open_nursery() as counting:
                for name in ("one", "two"):
                    command = [*PROGRAM, "count", str(path), name, str(times)]
                    counting.start_soon(trio.run_process, command)
        found = await fields(store, sessions_in_file.KEY) or {}
    assert found.pop("n") == b"%d" % (2 * times)
    assert found.keys() == {
        f"{name}{n}" for name in ("one", "two") for n in range(times)
    }


# Of each round a process is born: 200 of them are a command of the benchmarks.
ROUNDS = 8


def test_what_was_acknowledged_outlives_a_killed_process(path: Path) -> None:
    for number in range(ROUNDS):
        acknowledged = killed_after(path, lines=1 + number % 4)
        assert trio.run(number_in, path) >= acknowledged
        assert acknowledged > 0


def killed_after(path: Path, lines: int) -> int:
    """The last number that was acknowledged before the process was killed."""
    command = [*PROGRAM, "acknowledge", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for _ in range(lines):
            line = process.stdout.readline()
        os.kill(process.pid, signal.SIGKILL)
        # It may have gone on until then.
        rest = [each for each in process.stdout.read().split(b"\n")[:-1] if each]
    return int((rest or [line])[-1])


async def number_in(path: Path) -> int:
    async with opened(path, sessions_in_file.LIFETIME) as store:
        return int((await fields(store, sessions_in_file.KEY) or {})["n"])
