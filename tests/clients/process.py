"""Programs started for a test: waited for by what they say, and always ended."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import trio

from tests.needs import program

ROOT = Path(__file__).parent.parent.parent

# Seconds: a program that has not said by then where it serves never will, however busy
# the machine is; one that does not end by then ignores its signal.
START = 30
END = 20

# Options of a pytest within a test.  Rewriting what it loads, for the words of asserts
# that nobody reads, would take longer than all the rest of it.
QUICKLY = ("--assert=plain", "-p", "no:cacheprovider")

_SERVING = re.compile(rb"[Ss]erving [^\n]*?(https?://\S+) [^\n]*\(Ctrl-C stops")


class Program:
    """A program that runs: its process, and what it has said on standard error."""

    def __init__(self, process: trio.Process) -> None:
        self.process = process
        self.said = bytearray()
        self._more = trio.lowlevel.ParkingLot()
        self._ended = False

    async def listen(self) -> None:
        """Keep what the program says, until it closes standard error."""
        assert self.process.stderr is not None
        async for piece in self.process.stderr:
            self.said += piece
            self._more.unpark_all()
        self._ended = True
        self._more.unpark_all()

    async def until(self, pattern: re.Pattern[bytes]) -> re.Match[bytes]:
        """Wait until the program has said *pattern*."""
        while (match := pattern.search(self.said)) is None:
            if self._ended:
                raise AssertionError(f"it ended, saying {self.said.decode()!r}")
            await self._more.park()
        return match

    async def stop(self) -> int:
        """Ask it to end (SIGTERM); its exit code."""
        self.process.terminate()
        with trio.fail_after(END):
            return await self.process.wait()


class Server(Program):
    """A program that serves: *url* is where."""

    url = ""


@asynccontextmanager
async def started(
    command: Sequence[str | Path],
    kind: type[Program] = Program,
    *,
    env: Mapping[str, str] = {},
) -> AsyncIterator[Program]:
    """A program for as long as the block lasts; after it the program has ended."""
    process = await trio.lowlevel.open_process(
        [str(word) for word in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, **env},
    )
    running = kind(process)
    try:
        async with trio.open_nursery() as listening:
            listening.start_soon(running.listen)
            yield running
            listening.cancel_scope.cancel(reason="the block has ended")
    finally:
        if process.returncode is None:
            process.kill()
        with trio.CancelScope(shield=True):
            await process.wait()


@asynccontextmanager
async def serving(
    command: Sequence[str | Path], *, env: Mapping[str, str] = {}
) -> AsyncIterator[Server]:
    """A program that says where it serves, as `trioweb.run` does."""
    async with started(command, Server, env=env) as server:
        assert isinstance(server, Server)
        with trio.move_on_after(START):
            server.url = (await server.until(_SERVING))[1].decode()
        assert server.url, f"it does not serve, but says {server.said.decode()!r}"
        yield server


def by_python(path: str | Path) -> list[str | Path]:
    """The command ``python examples/NAME.py``, on a free port."""
    return [sys.executable, path, "localhost:0"]


def by_trioweb(path: str | Path) -> list[str | Path]:
    """The command ``trioweb run examples/NAME.py``, on a free port."""
    return [sys.executable, "-m", "trioweb", "run", path, "--bind", "localhost:0"]


both_ways = pytest.mark.parametrize("way", [by_python, by_trioweb])
"""Run a test of an example with either command: ``way(path)``."""

Way = Callable[[str | Path], list[str | Path]]


@dataclass(frozen=True, slots=True)
class Answer:
    """A response as ``curl -i`` prints it."""

    status: int
    fields: list[str]  # each as "name: value", the name in lower case
    body: str


async def curl(*arguments: str) -> Answer:
    """What curl is answered; a path or text may be in any script."""
    printed = await output(program("curl"), "-si", *arguments)
    head, _, body = printed.partition("\r\n\r\n")
    status, *lines = head.split("\r\n")
    pairs = (line.partition(": ") for line in lines)
    fields = [f"{name.lower()}: {value}" for name, _, value in pairs]
    return Answer(int(status.split(" ")[1]), fields, body)


async def output(*command: str | Path) -> str:
    """What a command prints; it must end well, and in time."""
    with trio.fail_after(END):
        done = await trio.run_process(
            [str(word) for word in command], capture_stdout=True, cwd=ROOT
        )
    return done.stdout.decode()
