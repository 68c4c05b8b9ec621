"""Chaos in miniature: workers killed and reloaded under load, and nobody is refused."""

from __future__ import annotations

import random
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from tests.clients.process import ROOT
from tests.needs import needs, program
from tests.run.cluster.crews import Crew, children, crewed, said, until

PEERS = 8
KILLS = 6


async def write_on(crew: Crew, peer: int, kept: Counter[str], over: trio.Event) -> None:
    """Write again and again, each time on a connection of its own."""
    number = 0
    while not over.is_set():
        number += 1
        text = f"{peer}-{number}"
        try:
            answer = await crew.ask("POST /write", text.encode())
        except ConnectionRefusedError:
            kept["refused"] += 1
        except OSError:
            kept["failed"] += 1
        else:
            if answer == b"kept":
                kept[text] += 1
            else:
                kept["failed"] += 1


async def test_k1_kills_refuse_nobody_and_lose_no_acknowledged_write(
    tmp_path: Path,
) -> None:
    file = tmp_path / "kept"
    file.touch()
    async with crewed(env={"CREW": str(file)}) as crew:
        await crew.everybody(2)
        kept: Counter[str] = Counter()
        over = trio.Event()
        async with trio.open_nursery() as writing:
            for peer in range(PEERS):
                writing.start_soon(write_on, crew, peer, kept, over)
            chance = random.Random(1)
            for _ in range(KILLS):
                ready = await one_that_answers(crew)
                crew.kill(chance.choice(ready))
                await trio.sleep(0.2)
            over.set()
        refused, failed = kept.pop("refused", 0), kept.pop("failed", 0)
        lines = Counter(file.read_text().split())
        assert refused == 0
        assert failed <= PEERS * KILLS
        assert len(kept) > PEERS
        assert not [text for text in kept if lines[text] != 1]
        assert await crew.stop() == 0
        assert said(crew.server).count("SIGKILL") == KILLS


async def one_that_answers(crew: Crew) -> list[int]:
    """The workers that are ready, as far as one answer tells."""
    pids: list[int] = []
    with trio.fail_after(20):
        while not pids:
            pids = [int(str(pid)) for pid in [(await crew.who()).get("pid")] if pid]
            pids = [pid for pid in pids if pid in crew.workers()]
    return pids


WRK = re.compile(r"Socket errors: (.*)|Non-2xx.*: (\d+)")


@asynccontextmanager
async def loaded(crew: Crew) -> AsyncIterator[None]:
    """Fifty connections of wrk while the block lasts; none of them has an error."""
    command = [str(program("wrk")), "-t1", "-c50", "-d60s", f"{crew.server.url}/who"]
    process = await trio.lowlevel.open_process(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    printed = b""
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        with trio.CancelScope(shield=True):
            async for piece in process.stdout:
                printed += piece
            await process.wait()
    assert b"requests in" in printed
    assert WRK.search(printed.decode()) is None, printed.decode()


@needs("wrk")
async def test_k4_reloads_under_load_fail_nobody() -> None:
    async with crewed() as crew:
        now = await crew.everybody(2)
        async with loaded(crew):
            for _ in range(2):
                crew.kill(crew.pid, signal.SIGHUP)
                before = now
                now = await crew.everybody(2, but=before)
        assert await crew.stop() == 0


@needs("wrk")
async def test_k12_recycling_under_load_fails_nobody(tmp_path: Path) -> None:
    path = tmp_path / "brief.py"
    path.write_text(
        "from tests.apps.crew import app\n"
        "from trioweb import Config, run\n"
        "from trioweb.run.recycling import Recycling\n"
        "if __name__ == '__main__':\n"
        "    run(app, config=Config(bind=('127.0.0.1:0',), workers=2,\n"
        "        access_log='off', recycling=Recycling(requests=500)))\n",
        encoding="utf-8",
    )
    async with crewed(
        program=[sys.executable, path], env={"PYTHONPATH": str(ROOT)}
    ) as crew:
        first = await crew.everybody(2)
        async with loaded(crew):
            second = await crew.everybody(2, but=first)
            await crew.everybody(2, but=first | second)
        assert await crew.stop() == 0


async def test_k4_a_broken_new_version_leaves_the_old_serving(tmp_path: Path) -> None:
    fails = tmp_path / "fails"
    fails.write_text("VERSION = 2")
    async with crewed(env={"CREW_FAILS": str(fails)}) as crew:
        both = await crew.everybody(2)
        fails.write_text("raise RuntimeError('half a version')")
        crew.kill(crew.pid, signal.SIGHUP)
        await until(lambda: "the old ones serve on" in said(crew.server))
        assert "RuntimeError: half a version" in said(crew.server)
        assert await crew.everybody(2) == both
        fails.write_text("VERSION = 3")
        crew.kill(crew.pid, signal.SIGHUP)
        await crew.everybody(2, but=both)
        assert (await crew.who())["version"] == 3
        assert await crew.stop() == 0


async def test_k7_signals_in_any_order_two_hundred_times_never_wedge() -> None:
    async with crewed() as crew:
        await crew.everybody(2)
        for _ in range(100):
            crew.kill(crew.pid, signal.SIGHUP)
            await trio.sleep(0.005)
            crew.kill(crew.pid, signal.SIGHUP)
            crew.workers()
            await trio.sleep(0.01)
        before = await crew.everybody(2)
        crew.kill(crew.pid, signal.SIGHUP)
        await crew.everybody(2, but=before)
        crew.workers()
        with trio.fail_after(40):
            for number in [signal.SIGHUP, signal.SIGTERM] * 100:
                if crew.server.process.returncode is None:
                    crew.server.process.send_signal(number)
                await trio.sleep(0.01)
            assert await crew.ended() == 0
        await crew.gone()


async def test_a_supervisor_keeps_nothing_of_those_who_have_gone() -> None:
    async with crewed(workers=1) as crew:
        (pid,) = await crew.everybody(1)
        before = crew.descriptors()
        for _ in range(3):
            crew.kill(pid)
            (pid,) = await crew.everybody(1, but={pid})
            crew.kill(crew.pid, signal.SIGHUP)
            (pid,) = await crew.everybody(1, but={pid})
        await until(lambda: crew.descriptors() <= before)
        assert await crew.stop() == 0


async def test_any_process_beside_the_supervisor_may_be_killed() -> None:
    async with crewed() as crew:
        await crew.everybody(2)
        for pid in sorted(children(crew.pid)):
            crew.workers()
            crew.kill(pid)
        await crew.everybody(2)
        assert await crew.stop() == 0
