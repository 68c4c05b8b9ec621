"""Workers as real processes: they start, serve, die, are replaced, and all end."""

from __future__ import annotations

import signal
import sys
from collections import Counter
from pathlib import Path

import pytest
import trio

from tests.clients.process import ROOT
from tests.run.cluster.crews import (
    Crew,
    alive,
    children,
    crewed,
    exists,
    mode,
    said,
    until,
)


def threads(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


async def test_k10_two_workers_serve_and_the_supervisor_has_one_thread() -> None:
    async with crewed() as crew:
        await crew.everybody(2)
        answer = await crew.who()
        assert answer["workers"] == 2
        assert answer["worker"] in {0, 1}
        directory = Path(str(answer["directory"]))
        assert mode(directory) == 0o700
        assert threads(crew.pid) == 1
        assert await crew.stop() == 0
        assert not exists(directory)
        assert said(crew.server).count("is serving") == 1


async def test_k10_a_program_serves_itself_by_its_name() -> None:
    python = [Path(sys.executable), ROOT / "tests/apps/crew.py"]
    async with crewed(program=[*python, "127.0.0.1:0"]) as crew:
        await crew.everybody(2)
        assert await crew.stop() == 0


async def test_k9_two_workers_share_a_thousand_connections() -> None:
    async with crewed() as crew:
        await crew.everybody(2)
        taken: Counter[object] = Counter()

        async def ask() -> None:
            for _ in range(50):
                taken[(await crew.who())["pid"]] += 1

        async with trio.open_nursery() as asking:
            for _ in range(20):
                asking.start_soon(ask)
        assert sum(taken.values()) == 1000
        assert len(taken) == 2
        assert min(taken.values()) >= 350
        assert await crew.stop() == 0


@pytest.mark.parametrize(
    "number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM], ids=lambda n: n.name
)
async def test_k1_a_worker_that_dies_is_replaced(number: signal.Signals) -> None:
    async with crewed() as crew:
        first, second = sorted(await crew.everybody(2))
        crew.kill(first, number)
        assert (await crew.who())["pid"]
        both = await crew.everybody(2, but={first})
        assert second in both
        assert await crew.stop() == 0


async def test_k1_one_that_ends_by_itself_is_replaced_and_its_end_is_told() -> None:
    async with crewed(workers=1) as crew:
        (first,) = await crew.everybody(1)
        assert await crew.ask("GET /crash") == b""
        await crew.everybody(1, but={first})
        await until(lambda: "ended with exit code 7" in said(crew.server))
        assert f"worker 0 (pid {first})" in said(crew.server)
        assert await crew.stop() == 0


async def test_k3_when_the_supervisor_is_killed_nothing_is_left() -> None:
    async with crewed() as crew:
        await crew.everybody(2)
        directory = Path(str((await crew.who())["directory"]))
        crew.workers()
        with trio.fail_after(10):
            crew.kill(crew.pid)
            await crew.gone()
        assert not exists(directory)
        await refused(crew)


async def test_k3_a_request_at_work_is_answered_though_the_supervisor_is_gone() -> None:
    async with crewed("--grace", "20") as crew:
        await crew.everybody(2)
        crew.workers()
        async with trio.open_nursery() as asking:

            async def ask() -> None:
                assert await crew.ask("GET /sleep/1") == b"slept"

            for _ in range(8):
                asking.start_soon(ask)
            await trio.sleep(0.3)
            crew.kill(crew.pid)
        await crew.gone()


async def test_k5_a_stop_answers_what_is_at_work_and_refuses_what_comes() -> None:
    async with crewed() as crew:
        await crew.everybody(2)
        async with trio.open_nursery() as asking:

            async def ask() -> None:
                assert await crew.ask("GET /sleep/1") == b"slept"

            for _ in range(8):
                asking.start_soon(ask)
            await trio.sleep(0.3)
            asking.start_soon(stopped, crew)


async def stopped(crew: Crew) -> None:
    assert await crew.stop() == 0


async def test_k5_streams_without_an_end_do_not_keep_it_from_stopping() -> None:
    async with crewed("--grace", "0.5") as crew:
        await crew.everybody(2)
        async with await trio.open_tcp_stream(crew.host, crew.port) as stream:
            await stream.send_all(b"GET /endless HTTP/1.1\r\nhost: a\r\n\r\n")
            assert await stream.receive_some()
            assert await crew.stop() == 0


async def test_k5_a_second_signal_stops_at_once() -> None:
    async with crewed("--grace", "600") as crew:
        await crew.everybody(2)
        async with await trio.open_tcp_stream(crew.host, crew.port) as stream:
            await stream.send_all(b"GET /endless HTTP/1.1\r\nhost: a\r\n\r\n")
            assert await stream.receive_some()
            crew.workers()
            crew.kill(crew.pid, signal.SIGTERM)
            await refused(crew)
            crew.kill(crew.pid, signal.SIGTERM)
            assert await crew.ended() == 0
        await crew.gone()


async def refused(crew: Crew) -> None:
    """Connect again and again, until nobody listens."""
    with trio.fail_after(20):
        while True:
            try:
                await crew.ask()
            except OSError:
                return


async def test_k7_workers_take_no_notice_of_the_terminal() -> None:
    async with crewed() as crew:
        both = await crew.everybody(2)
        for pid in both:
            for number in (signal.SIGINT, signal.SIGHUP):
                crew.kill(pid, number)
        assert await crew.everybody(2) == both
        assert await crew.stop() == 0


async def test_k11_a_stuck_worker_shows_where_it_is_and_is_replaced(
    tmp_path: Path,
) -> None:
    program = tmp_path / "quick.py"
    program.write_text(
        "from tests.apps.crew import app\n"
        "from trioweb import Config, run\n"
        "if __name__ == '__main__':\n"
        "    run(app, config=Config(bind=('127.0.0.1:0',), workers=2, silence=3,\n"
        "                           access_log='off'))\n",
        encoding="utf-8",
    )
    python: list[str | Path] = [sys.executable, program]
    env = {"PYTHONPATH": str(ROOT)}
    async with crewed(program=python, env=env) as crew:
        both = await crew.everybody(2)
        with trio.move_on_after(0.5):
            await crew.ask("GET /stuck")
        await until(lambda: any(not alive(pid) for pid in both))
        await crew.everybody(2, but={pid for pid in both if not alive(pid)})
        assert "gave no sign of life" in said(crew.server)
        assert "Fatal Python error: Aborted" in said(crew.server)
        assert "in stuck" in said(crew.server)
        assert await crew.stop() == 0


async def test_o5_a_process_that_a_handler_starts_holds_no_socket_of_ours() -> None:
    async with crewed() as crew:
        await crew.everybody(2)
        numbers = {int(each) for each in (await crew.ask("GET /open")).split()}
        # Its three, and the listing's own.
        assert len(numbers) <= 4
        assert await crew.stop() == 0


async def test_no_process_is_left_beside_the_workers() -> None:
    async with crewed() as crew:
        both = await crew.everybody(2)
        # multiprocessing has one of its own; it goes with the supervisor.
        assert len(children(crew.pid) - both) <= 1
        assert await crew.stop() == 0
