"""A server on real sockets in this process, and peers that leave it as they like."""

from __future__ import annotations

import contextlib
import gc
import logging
import socket
import struct
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import trio

from tests.wire.talking import logged
from trioweb import Config, open_server
from trioweb.app.app import Served
from trioweb.wire.limits import Limits

# Linger for no time: closing resets the connection.
ABORT = struct.pack("ii", 1, 0)

# Seconds: however busy the machine is, what is to happen has happened by then.
PATIENCE = 30

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
LAST = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True)
class Place:
    """Where the server is, and what its error log got."""

    host: str
    port: int
    logs: list[logging.LogRecord]

    async def connect(self) -> trio.SocketStream:
        return await trio.open_tcp_stream(self.host, self.port)

    async def asked(self, request: bytes = LAST) -> bytes:
        """All that comes until the server ends the connection."""
        async with await self.connect() as stream:
            await stream.send_all(request)
            return await rest(stream)


@contextlib.asynccontextmanager
async def place(app: Served, limits: Limits | None = None) -> AsyncIterator[Place]:
    """A server for as long as the block lasts; it must then hold nothing more."""
    config = Config(
        bind=("127.0.0.1:0",), access_log="off", limits=limits or Limits(), grace=1
    )
    with logged() as logs, trio.fail_after(PATIENCE * 4):
        async with open_server(app, config=config) as server:
            host, _, port = server.url.removeprefix("http://").rpartition(":")
            found, alone = Place(host, int(port), logs), tasks()
            await found.asked()  # whatever is loaded late is loaded now
            await until(lambda: tasks() == alone)
            gc.collect()  # what others have left in a cycle would be closed meanwhile
            before = descriptors()
            yield found
            await until(lambda: (tasks(), descriptors()) == (alone, before))


async def rest(stream: trio.SocketStream) -> bytes:
    received = b""
    while piece := await stream.receive_some():
        received += piece
    return received


async def until(true: Callable[[], bool]) -> None:
    """Wait for what has no event."""
    with trio.fail_after(PATIENCE):
        await trio.lowlevel.checkpoint()
        while not true():  # noqa: ASYNC110  # there is no event to wait for
            await trio.sleep(0.005)


def reset(stream: trio.SocketStream) -> None:
    """Leave by RST."""
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
    stream.socket.close()


def descriptors() -> int:
    """How many are open in this process; 0 where the system does not tell."""
    opened = Path("/proc/self/fd")
    return len(list(opened.iterdir())) if opened.exists() else 0


def tasks() -> int:
    return trio.lowlevel.current_statistics().tasks_living
