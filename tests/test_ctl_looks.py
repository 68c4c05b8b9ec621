"""``trioweb ctl logs`` and ``tree``: what a server says, and what it is at."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from tests.clients.process import ROOT
from tests.run.cluster.crews import PATIENCE, said, until
from tests.run.control.homes import ctl, found, home, surroundings


@pytest.fixture
def place() -> Iterator[Path]:
    with home() as directory:
        yield directory


# ----------------------------------------------------------------------------- the logs


async def test_the_last_lines_of_all_are_told_and_those_of_the_past(
    place: Path,
) -> None:
    async with found(place, "--access-log", "human") as crew:
        first, _ = sorted(await crew.everybody(2))
        # Of a worker that is killed they are lost: some of so many go to the other.
        for _ in range(20):
            await crew.ask("GET /who?token=secret")
        crew.kill(first)
        await until(lambda: "was killed by SIGKILL" in said(crew.server))
        # Not by asking: a hundred lines are kept, and those it would write come later.
        await until(lambda: len(crew.workers() - {first}) == 2)
        assert (await ctl(place, "reload")).code == 0
        done = await ctl(place, "logs")
        assert done.code == 0
        assert re.search(
            r"^[01] \| \S+Z GET /who\?token=\* 200 ", done.out, re.MULTILINE
        )
        assert re.search(r"^- \| .* was killed by SIGKILL$", done.out, re.MULTILINE)
        done = await ctl(place, "logs", "--lines", "3", "--json")
        lines = [json.loads(line) for line in done.out.splitlines()]
        assert len(lines) == 3
        assert [each["time"] for each in lines] == sorted(e["time"] for e in lines)
        assert lines[0].keys() == {"worker", "pid", "time", "line"}
        assert await crew.stop() == 0


async def test_lines_are_told_as_they_come_also_of_new_workers(place: Path) -> None:
    async with found(place, "--access-log", "human", workers=1) as crew:
        await crew.everybody(1)
        async with following(place) as (process, heard):
            await crew.ask("GET /who?old")
            await until(lambda: b"/who?*" in heard)
            assert (await ctl(place, "reload")).code == 0
            await until(lambda: len(crew.workers()) == 1)
            await crew.ask("GET /sleep/0.01")
            await until(lambda: b"/sleep/0.01 200" in heard)
            assert heard.count(b"/sleep/0.01 200") == 1
            assert await crew.stop() == 0
            with trio.fail_after(PATIENCE):
                assert await process.wait() == 0


@asynccontextmanager
async def following(place: Path) -> AsyncIterator[tuple[trio.Process, bytearray]]:
    """``ctl logs -f``: its process, and what it has printed so far."""
    heard = bytearray()
    process = await trio.lowlevel.open_process(
        [sys.executable, "-m", "trioweb", "ctl", "--name", "crew", "logs", "-f"],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env=surroundings(place),
    )

    async def listen() -> None:
        assert process.stdout is not None
        async for piece in process.stdout:
            heard.extend(piece)

    try:
        async with trio.open_nursery() as listening:
            listening.start_soon(listen)
            yield process, heard
            listening.cancel_scope.cancel()
    finally:
        if process.returncode is None:
            process.kill()
        with trio.CancelScope(shield=True):
            await process.wait()


async def test_ctrl_c_ends_the_following_and_nothing_else(place: Path) -> None:
    async with found(place, "--access-log", "human", workers=1) as crew:
        await crew.everybody(1)
        async with following(place) as (process, heard):
            await until(lambda: b"GET /who" in heard)
            process.send_signal(signal.SIGINT)
            with trio.fail_after(PATIENCE):
                assert await process.wait() == 0
        assert (await crew.who())["pid"]
        assert await crew.stop() == 0


# ----------------------------------------------------------------------------- the tree


async def test_the_tree_shows_what_is_at_work_and_where(place: Path) -> None:
    async with found(place, "--grace", "0") as crew, trio.open_nursery() as asking:
        await crew.everybody(2)
        asking.start_soon(crew.ask, "GET /sleep/30?token=secret")
        done = await ctl(place, "tree")
        with trio.fail_after(PATIENCE):
            while "1 request at work" not in done.out:
                done = await ctl(place, "tree")
        assert "GET /sleep/30 (/sleep/{seconds:float})" in done.out
        assert re.search(r"at tests/apps/crew.py:\d+ sleep  from 127.0.0.1:", done.out)
        assert "secret" not in done.out
        assert len(re.findall(r"^worker [01] ", done.out, re.MULTILINE)) == 2
        (grown,) = json.loads((await ctl(place, "tree", "1", "--json")).out)
        assert grown["worker"] == 1
        assert grown["tree"]["name"] == "trioweb.run.cluster.worker.Worker.run"
        done = await ctl(place, "tree", "2")
        assert (done.code, done.out) == (1, "")
        assert "there is no worker 2; they are 0 to 1" in done.err
        assert (await ctl(place, "stop")).code == 0
        assert await crew.ended() == 0


async def test_a_worker_that_is_stuck_does_not_answer_and_others_do(
    place: Path,
) -> None:
    async with found(place) as crew:
        first, _ = sorted(await crew.everybody(2))
        crew.kill(first, signal.SIGSTOP)
        done = await ctl(place, "tree")
        assert done.code == 0
        assert done.out.count("does not answer: its event loop is blocked") == 1
        assert done.out.count("0 requests at work") == 1
        crew.kill(first, signal.SIGCONT)
        assert await crew.stop() == 0
