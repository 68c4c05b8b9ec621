"""Files served on one real connection, and where the system has their bytes."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pytest
import trio

from tests.wire.talking import End, answers, logged
from trioweb.message.exchange import Exchanged
from trioweb.message.handler import Handler
from trioweb.message.offload import in_thread, runner
from trioweb.message.request import Request
from trioweb.message.response import File, Response
from trioweb.message.transport import Transport
from trioweb.run.hub import Hub
from trioweb.run.sockets import accepted
from trioweb.wire.connection import serve
from trioweb.wire.filing import in_memory
from trioweb.wire.limits import Limits
from trioweb.wire.service import Service

T = TypeVar("T")

KIB, MIB = 1 << 10, 1 << 20
PAGE = 4 * KIB

LAST = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

# Nothing in it repeats at a distance at which something could be lost unseen.
CONTENT = b"".join(number.to_bytes(4, "big") for number in range(MIB))

both = pytest.mark.parametrize("portable", [False, True], ids=["hub", "portable"])

# Seconds: however busy the machine is, a connection is over by then.
PATIENCE = 60


@dataclass
class Filed:
    """A connection whose server sends files, from the peer's side."""

    peer: trio.SocketStream
    records: list[Exchanged]
    logs: list[logging.LogRecord]
    end: End | None = None
    threads: int = 0  # how often work went into one
    serving: trio.CancelScope = field(default_factory=trio.CancelScope)
    _come: bytearray = field(default_factory=bytearray)

    @property
    def received(self) -> bytes:
        return bytes(self._come)

    async def take(self, size: int) -> None:
        """Take *size* bytes more."""
        until = len(self._come) + size
        while len(self._come) < until:
            piece = await self.peer.receive_some(until - len(self._come))
            assert piece, "the server has ended the connection"
            self._come += piece

    async def listen(self) -> None:
        """Take what comes until the end."""
        try:
            while piece := await self.peer.receive_some():
                self._come += piece
            self.end = End.FIN
        except trio.BrokenResourceError:
            self.end = End.RESET

    async def serve(self, transport: Transport, service: Service) -> None:
        with self.serving:
            await serve(transport, service)

    async def count(self, work: Callable[[], T], /) -> T:
        """Run *work* in a thread, and remember."""
        self.threads += 1
        return await in_thread(work)


@contextlib.asynccontextmanager
async def filed(
    handler: Handler, limits: Limits | None = None, *, portable: bool = False
) -> AsyncIterator[Filed]:
    """A connection to *handler*, on a hub, or by what there is on any system."""
    records: list[Exchanged] = []
    service = Service(handler, limits or Limits(), record=records.append)
    with logged() as logs, trio.fail_after(PATIENCE):
        async with service.running(), trio.open_nursery() as both_ends:
            hub = Hub()
            both_ends.start_soon(hub.run)
            with socket.create_server(("127.0.0.1", 0)) as listener:
                peer = await trio.open_tcp_stream(*listener.getsockname())
                arrived = listener.accept()
            transport = (accepted if portable else hub.accepted)(*arrived)
            there = Filed(peer, records, logs)
            token = runner.set(there.count)
            both_ends.start_soon(there.serve, transport, service)
            async with peer:
                yield there
            runner.reset(token)
            both_ends.cancel_scope.cancel()


def known(path: Path, content: bytes) -> Path:
    """*content* at *path*, in the system's memory; skips where it does not tell."""
    path.write_bytes(content)
    with path.open("rb") as file:
        os.fsync(file.fileno())  # or it could not be let go of
        if not in_memory(file.fileno(), 0, len(content)):
            pytest.skip("this file system does not tell what is in memory")
    return path


def forget(path: Path, at: int = 0, size: int | None = None) -> None:
    """Let the system forget *size* bytes of *path* from *at*, or all that follow."""
    whole = path.stat().st_size
    end = whole if size is None else at + size
    with path.open("rb", buffering=0) as file:
        # All of it, because it keeps more than a page together; what is read at random
        # it takes in page by page.
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_RANDOM)
        for part in (range(0, at, PAGE), range(end, whole, PAGE)):
            for place in part:
                os.pread(file.fileno(), 1, place)


def opened(path: Path, offset: int = 0, length: int | None = None) -> File:
    """The file at *path* as a body."""
    rest = path.stat().st_size - offset
    return File(
        path.open("rb", buffering=0), offset, rest if length is None else length
    )


def of(path: Path, offset: int = 0, length: int | None = None) -> Handler:
    """A handler that answers with the file at *path*, opened each time."""

    async def handler(request: Request) -> Response:
        return Response(200, body=opened(path, offset, length))

    return handler


async def fetched(there: Filed) -> bytes:
    """The content of the only answer, which is whole."""
    await there.peer.send_all(LAST)
    await there.listen()
    (got,) = answers(there)
    assert (got.status, got.complete, there.end) == (200, True, End.FIN)
    assert there.logs == []
    assert [record.sent for record in there.records] == [len(there.received)]
    return got.body
