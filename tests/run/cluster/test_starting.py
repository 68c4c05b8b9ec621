"""Starts that do not succeed, or are interrupted: an exit code that tells the truth."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import trio
import trio.testing

from tests.clients.process import ROOT, started
from tests.run.cluster.crews import (
    PATIENCE,
    alive,
    by_workers,
    children,
    crewed,
    exists,
    said,
    until,
)

SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}


async def ended(command: list[str | Path], **env: str) -> tuple[int, str]:
    """Run *command* to its end: the exit code, and what it said."""
    async with started(command, env=env) as program:
        with trio.fail_after(PATIENCE):
            code = await program.process.wait()
            # Whatever it has said is there when it has ended.
            await trio.testing.wait_all_tasks_blocked(0.1)
        return code, said(program)


async def test_k2_a_crash_loop_ends_with_code_3_and_the_reason(tmp_path: Path) -> None:
    fails = tmp_path / "fails"
    fails.write_text("1 / 0")
    with trio.fail_after(30):
        code, words = await ended(by_workers(), CREW_FAILS=str(fails))
    assert code == 3
    assert "no worker becomes ready, so the server ends: ZeroDivisionError" in words
    assert words.count("Traceback") >= 5
    assert "trioweb/run" not in words  # its own traceback, and nothing of ours


async def test_k14_workers_that_end_without_a_word_end_the_server_with_code_3(
    tmp_path: Path,
) -> None:
    fails = tmp_path / "fails"
    fails.write_text("os._exit(0)")
    code, words = await ended(by_workers(), CREW_FAILS=str(fails))
    assert code == 3
    assert "ended with exit code 0" in words


async def test_k13_a_second_server_on_a_port_ends_with_code_1() -> None:
    async with crewed() as crew:
        await crew.everybody(2)
        place = f"127.0.0.1:{crew.port}"
        command = by_workers()
        command[command.index("127.0.0.1:0")] = place
        code, words = await ended(command)
        assert code == 1
        assert f"port {crew.port} on 127.0.0.1 is in use" in words
        single = [*command[:5], "--bind", place]
        assert (await ended(single))[0] == 1
        assert await crew.stop() == 0


WRONG = [
    ("no such file", "nowhere.py", "nowhere.py is not there"),
    ("no such name", "tests/apps/crew.py:apq", "did you mean app?"),
]


@pytest.mark.parametrize(
    ("target", "message"), [case[1:] for case in WRONG], ids=[c[0] for c in WRONG]
)
async def test_what_no_start_can_mend_is_told_once_with_code_1(
    target: str, message: str
) -> None:
    command = by_workers()
    command[4] = target
    code, words = await ended(command)
    assert code == 1
    assert words.count(message) == 1


PROGRAMS = [
    ("no guard", "app = App()\nrun(app, port=0, workers=2)\n", "__name__"),
    (
        "no name",
        "if __name__ == '__main__':\n    run(App(), port=0, workers=2)\n",
        "write `app = App()` at the top level",
    ),
]


@pytest.mark.parametrize(
    ("text", "message"), [case[1:] for case in PROGRAMS], ids=[c[0] for c in PROGRAMS]
)
async def test_a_program_that_workers_cannot_load_is_told_what_to_write(
    tmp_path: Path, text: str, message: str
) -> None:
    program = tmp_path / "wrong.py"
    program.write_text(f"from trioweb import App, run\n{text}", encoding="utf-8")
    code, words = await ended([sys.executable, program])
    assert code == 1
    assert message in words


# ---------------------------------------------------------------- signals at any moment


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, signal.SIGINT], ids=lambda n: n.name
)
@pytest.mark.parametrize("after", [0, 30, 80, 130, 180, 230, 280, 350, 450, 600, 900])
async def test_k6_a_signal_at_any_moment_of_the_start_ends_it_well(
    after: int, number: signal.Signals
) -> None:
    """Held back until somebody can take it, as a service manager may have it."""
    process = begun_with_signals_held_back()
    family: set[int] = set()
    with process:
        try:
            with trio.move_on_after(after / 1000):
                while True:
                    family |= children(process.pid)
                    await trio.sleep(0.002)
            process.send_signal(number)
            with trio.fail_after(PATIENCE):
                while process.poll() is None:
                    family |= children(process.pid)
                    await trio.sleep(0.002)
        finally:
            process.kill()
        assert process.returncode == 0
        await until(lambda: not any(alive(pid) for pid in family))
        assert process.stderr is not None
        assert b"Traceback" not in process.stderr.read()


def begun_with_signals_held_back() -> subprocess.Popen[bytes]:
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        return subprocess.Popen(by_workers(), stderr=subprocess.PIPE, cwd=ROOT)
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


async def test_k6_a_signal_before_a_line_of_ours_has_run_leaves_no_orphan() -> None:
    for after in (0.0, 0.05, 0.1, 0.15, 0.2, 0.3):
        async with started(by_workers()) as program:
            await trio.sleep(after)
            program.process.terminate()
            family = children(program.process.pid)
            with trio.fail_after(PATIENCE):
                code = await program.process.wait()
            assert code in {0, -signal.SIGTERM}
            await until(lambda: not any(alive(pid) for pid in family))  # noqa: B023  # at once


async def test_k13_sockets_are_free_after_a_stop() -> None:
    async with crewed() as crew:
        await crew.everybody(2)
        assert await crew.stop() == 0
        with socket.create_server((crew.host, crew.port)):
            pass


async def test_a_unix_socket_is_shared_and_its_name_given_up(tmp_path: Path) -> None:
    path = tmp_path / "crew.sock"
    command = by_workers()
    command[command.index("127.0.0.1:0")] = f"unix:{path}"
    async with started(command) as program:
        await until(lambda: "is serving" in said(program))
        async with await trio.open_unix_socket(str(path)) as stream:
            await stream.send_all(b"GET /who HTTP/1.0\r\nhost: a\r\n\r\n")
            assert b" 200 " in await stream.receive_some()
        program.process.terminate()
        with trio.fail_after(PATIENCE):
            assert await program.process.wait() == 0
        assert not exists(path)
