"""Ends that something stands in the way of: each comes, and leaves nobody."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from pathlib import Path

import pytest
import trio

from tests.clients.process import ROOT, started
from tests.run.cluster.crews import PATIENCE, alive, by_workers, crewed, said, until

BRIEF: list[str | Path] = ["--grace", "0.5", "--set", "cleanup=0.5"]

THREAD = """
import threading
threading.Thread(target=time.sleep, args=(1000,), name="eternal").start()
"""


async def test_k3_a_stuck_worker_does_not_outlive_its_supervisor() -> None:
    async with crewed(*BRIEF) as crew:
        both = await crew.everybody(2)
        with trio.move_on_after(1):
            await crew.ask("GET /stuck")
        assert crew.workers() == both
        crew.kill(crew.pid)
        with trio.fail_after(10):
            await crew.gone()


async def test_a_thread_that_never_ends_is_named_and_holds_up_no_stop(
    tmp_path: Path,
) -> None:
    fails = tmp_path / "fails"
    fails.write_text(THREAD)
    brief = ["--set", "cleanup=0.5"]
    async with crewed(*brief, env={"CREW_FAILS": str(fails)}) as crew:
        await crew.everybody(2)
        with trio.fail_after(15):  # the grace, and thus a kill, is twice as long
            assert await crew.stop() == 0
        assert said(crew.server).count("threads that do not end (eternal)") == 2


async def test_a_start_that_fails_beside_a_thread_is_not_waited_for(
    tmp_path: Path,
) -> None:
    fails = tmp_path / "fails"
    fails.write_text(f"{THREAD}1 / 0")
    command = by_workers("--set", "cleanup=0.2")
    async with started(command, env={"CREW_FAILS": str(fails)}) as program:
        with trio.fail_after(PATIENCE):
            assert await program.process.wait() == 3
        await until(lambda: "ends: ZeroDivisionError" in said(program))


SCRIPT = """
from tests.apps.crew import app
from trioweb import run

def fail(urls):
    raise RuntimeError("nobody wants to know")

if __name__ == "__main__":
    run(app, bind="127.0.0.1:0", workers=2, access_log="off", on_listen=fail)
"""


async def test_a_supervisor_that_fails_leaves_no_worker(tmp_path: Path) -> None:
    """`on_listen` is the one thing of the user's that it runs."""
    path = tmp_path / "failing.py"
    path.write_text(SCRIPT, encoding="utf-8")
    command: list[str | Path] = [sys.executable, path]
    async with started(command, env={"PYTHONPATH": str(ROOT)}) as program:
        with trio.fail_after(PATIENCE):
            assert await program.process.wait() == 1  # after its workers, which it had
        await until(lambda: "nobody wants to know" in said(program))


@pytest.mark.parametrize("code", ["'not today'", "0"], ids=["text", "zero"])
async def test_k14_a_program_that_exits_while_it_loads_is_the_reason(
    tmp_path: Path, code: str
) -> None:
    fails = tmp_path / "fails"
    fails.write_text(f"sys.exit({code})")
    command = by_workers(workers=1)
    async with started(command, env={"CREW_FAILS": str(fails)}) as program:
        with trio.fail_after(PATIENCE):
            assert await program.process.wait() == 3
        words = f"ends: SystemExit: {code.strip(chr(39))}"
        await until(lambda: words in said(program))


async def test_k14_no_room_for_processes_is_the_reason() -> None:
    limited: list[str | Path] = ["sh", "-c", 'ulimit -n 19; exec "$@"', "sh"]
    async with started([*limited, *by_workers()]) as program:
        with trio.fail_after(PATIENCE):
            assert await program.process.wait() == 3
        words = "server ends: no process: Too many open files"
        await until(lambda: words in said(program))


async def test_what_a_closed_standard_stream_leaves_is_no_place_for_another() -> None:
    closed: list[str | Path] = ["sh", "-c", 'exec "$@" <&- >&-', "sh"]
    async with crewed(program=[*closed, *by_workers()]) as crew:
        for pid in {crew.pid, *await crew.everybody(2)}:
            for number in range(2):
                assert str(Path(f"/proc/{pid}/fd/{number}").readlink()) == "/dev/null"  # noqa: ASYNC240  # at once
        assert await crew.stop() == 0


async def test_k3_a_worker_that_loads_for_ever_is_gone_with_its_supervisor(
    tmp_path: Path,
) -> None:
    fails = tmp_path / "fails"
    async with crewed(env={"CREW_FAILS": str(fails)}) as crew:
        both = await crew.everybody(2)
        fails.write_text("time.sleep(1000)")
        crew.kill(crew.pid, signal.SIGHUP)
        await until(lambda: len(crew.workers()) == 3)
        await trio.sleep(0.5)
        crew.kill(crew.pid)
        with trio.fail_after(10):
            await crew.gone()
        assert both < crew.seen


async def test_o5_what_a_handler_forks_does_not_keep_the_port() -> None:
    async with crewed() as crew:
        await crew.everybody(2)
        forked: list[int] = []
        try:
            forked += [json.loads(await crew.ask("GET /fork"))["pid"] for _ in range(6)]
            crew.server.process.terminate()
            assert await crew.ended() == 0
            assert all(map(alive, forked))
            with socket.create_server((crew.host, crew.port)):
                pass
        finally:
            for pid in forked:
                os.kill(pid, signal.SIGKILL)
            with trio.move_on_after(PATIENCE, shield=True):
                await until(lambda: not any(map(alive, forked)))
