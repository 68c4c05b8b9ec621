"""A server whose standard error blocks or is full: it answers, whatever the log does.

Rows E1 and E2 of the table of faults.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO

import pytest
import trio

from tests.clients.process import ROOT

PATH = "tests/apps/probe.py"

# Twice what a pipe (64 KiB) holds of lines, and less than the queue.
REQUESTS = 3000

# Requests on one connection, which may have only so many.
SOME = 500


@asynccontextmanager
async def program(place: str, stderr: int) -> AsyncIterator[trio.Process]:
    process = await trio.lowlevel.open_process(
        [sys.executable, PATH, place], stdin=subprocess.DEVNULL, stderr=stderr, cwd=ROOT
    )
    try:
        with trio.fail_after(60):
            await trio.lowlevel.checkpoint()
            yield process
    finally:
        if process.returncode is None:
            process.kill()
        with trio.CancelScope(shield=True):
            await process.wait()


async def connected(path: Path) -> trio.SocketStream:
    with trio.fail_after(30):
        while True:
            try:
                return await trio.open_unix_socket(path)
            except (FileNotFoundError, ConnectionRefusedError):
                await trio.sleep(0.02)  # it is still starting


async def asked(stream: trio.SocketStream, path: str) -> bytes:
    """The head of one answer, whose content is short and comes with it."""
    await stream.send_all(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    received = b""
    while b"\r\n\r\n" not in received:
        piece = await stream.receive_some()
        assert piece, "it closed"
        received += piece
    return received


async def ask(path: Path, requests: int) -> None:
    """Ask for /0, /1, ... one after the other; all must be answered."""
    for first in range(0, requests, SOME):
        async with await connected(path) as stream:
            for n in range(first, first + SOME):
                assert (await asked(stream, f"/{n}")).startswith(b"HTTP/1.1 200 ")


async def test_e2_a_log_that_nobody_reads_stops_no_answer(tmp_path: Path) -> None:
    place = tmp_path / "s"
    async with program(f"unix:{place}", subprocess.PIPE) as process:
        await ask(place, REQUESTS)
        # Its reader returns, and finds every line, in order.
        assert process.stderr is not None
        said = b""
        while said.count(b"\n") < REQUESTS + 1:
            said += await process.stderr.receive_some()
        seen = re.findall(r"^\S+Z GET /(\d+) 200", said.decode(), re.MULTILINE)
        assert seen == [str(n) for n in range(REQUESTS)]
        process.terminate()
        assert await process.wait() == 0


async def test_e2_a_log_that_nobody_reads_holds_up_no_stop(tmp_path: Path) -> None:
    place = tmp_path / "s"
    async with program(f"unix:{place}", subprocess.PIPE) as process:
        await ask(place, REQUESTS)
        begun = trio.current_time()
        process.terminate()
        assert await process.wait() == 0
        # 1 s is what the lines get that still wait.
        assert trio.current_time() - begun < 5


async def test_e2_errors_are_no_different(tmp_path: Path) -> None:
    place = tmp_path / "s"
    async with program(f"unix:{place}", subprocess.PIPE) as process:
        async with await connected(place) as stream:
            for _ in range(300):
                assert (await asked(stream, "/boom")).startswith(b"HTTP/1.1 500 ")
        process.terminate()
        assert await process.wait() == 0


async def test_an_error_is_one_line_and_what_belongs_to_it(tmp_path: Path) -> None:
    place = tmp_path / "s"
    async with program(f"unix:{place}", subprocess.PIPE) as process:
        async with await connected(place) as stream:
            await asked(stream, "/boom")
        process.terminate()
        await process.wait()
        assert process.stderr is not None
        said = b"".join([piece async for piece in process.stderr]).decode()
    _, *lines = said.splitlines()
    assert re.fullmatch(r"\S+Z ERROR GET '/boom' failed", lines[0])
    assert lines[1] == "  Traceback (most recent call last):"
    assert lines[-2] == "  RuntimeError: boom"
    assert " GET /boom 500 " in lines[-1]


def open_full() -> BinaryIO:
    return Path("/dev/full").open("wb", buffering=0)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
async def test_e1_a_full_disk_under_the_log_stops_no_answer(tmp_path: Path) -> None:
    place = tmp_path / "s"
    with open_full() as full:
        async with program(f"unix:{place}", full.fileno()):
            for _ in range(4):
                async with await connected(place) as stream:
                    for n in range(50):
                        assert b" 200 " in await asked(stream, f"/{n}")
                    assert b" 500 " in await asked(stream, "/boom")
