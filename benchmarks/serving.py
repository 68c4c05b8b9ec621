"""Serving: a trioweb server as a process of its own, and a way to ask it something."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import trio

from benchmarks.programs import Program, by_module, started

# Seconds: a server that does not say by then where it serves never will, however busy
# the machine is; an answer that has not come by then will not.
START = 30
ANSWER = 5

# Seconds between two looks at whether a server serves.
LOOK = 0.05

_SERVING = re.compile(r"http://127\.0\.0\.1:(\d+)")
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})")


class NotServing(Exception):
    """A server that has ended, or does not answer as it should."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The status and the content of a response."""

    status: int
    body: bytes


@contextlib.asynccontextmanager
async def serving(
    app: Path, *, core: int, told: Sequence[str] = ()
) -> AsyncIterator[tuple[Program, int]]:
    """``trioweb run APP`` with all its defaults, the access log off; and its port.

    With *told*, ``python -m benchmarks.told`` in its place, which is told so much.
    """
    command = by_module("trioweb", "run", app, "--bind", "127.0.0.1:0")
    command += ["--access-log", "off"]
    if told:
        command = by_module("benchmarks.told", app, *told)
    async with started(command, core=core, env={**os.environ}) as server:
        yield server, await _announced(server)


async def _announced(server: Program) -> int:
    with trio.move_on_after(START):
        while True:
            await trio.sleep(LOOK)
            if match := _SERVING.search(server.said()):
                return int(match[1])
            if server.process.poll() is not None:
                break
    raise NotServing(f"the server did not start: {server.said()}")


async def ask(port: int, request: bytes) -> Answer:
    """The answer to *request*, which asks for the connection to be closed after it.

    NotServing if there is none in time; OSError if there is no connection, and what a
    stream of trio raises when it breaks.
    """
    answer = bytearray()
    with trio.move_on_after(ANSWER) as waiting:
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        async with stream:
            await stream.send_all(request)
            async for piece in stream:
                answer += piece
    match = _STATUS.match(answer)
    if waiting.cancelled_caught or match is None:
        raise NotServing(f"no answer to {request[:60]!r} but {bytes(answer[:60])!r}")
    return Answer(int(match[1]), bytes(answer.partition(b"\r\n\r\n")[2]))


async def get(port: int, path: str) -> Answer:
    """The answer to a GET of *path* on a connection of its own."""
    head = f"GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
    return await ask(port, head.encode("ascii"))
