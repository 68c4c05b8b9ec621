"""Talking to one connection of the wire in memory, and what was heard of it."""

from __future__ import annotations

import contextlib
import enum
import logging
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

import h11
import trio
import trio.testing

from trioweb.message.exchange import Exchanged
from trioweb.message.handler import Handler
from trioweb.message.offload import inline, runner
from trioweb.message.transport import Transport
from trioweb.testing.transport import BUFFER, MemoryTransport, memory_pair
from trioweb.wire.connection import serve
from trioweb.wire.limits import Limits
from trioweb.wire.service import Service

# Virtual seconds: longer than anything waits here on purpose, so that a test which
# would hang fails instead.
FOREVER = 1_000_000


class End(enum.Enum):
    """How the server ended the connection."""

    FIN = enum.auto()
    RESET = enum.auto()


@dataclass
class Talking:
    """Our end of a connection that the wire serves."""

    peer: MemoryTransport
    service: Service
    records: list[Exchanged]
    logs: list[logging.LogRecord]
    serving: trio.CancelScope
    received: bytes = b""
    end: End | None = None
    over: trio.Event = field(default_factory=trio.Event)  # the server has ended it
    over_at: float = 0.0
    served: trio.Event = field(default_factory=trio.Event)  # ... and forgotten it

    async def send(self, *pieces: bytes) -> None:
        """Send each piece once the server has done what it can with those before."""
        with contextlib.suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            for piece in pieces:
                await self.peer.send_all(piece)
                await trio.testing.wait_all_tasks_blocked()

    async def farewell(self) -> None:
        """Wait until the server ends the connection, then close our end too."""
        with trio.fail_after(FOREVER):
            await self.over.wait()
            await self.peer.aclose()
            await self.served.wait()

    async def listen(self) -> None:
        """Take what comes until the end."""
        with contextlib.suppress(trio.ClosedResourceError):
            try:
                while data := await self.peer.receive_some():
                    self.received += data
                self.end = End.FIN
            except trio.BrokenResourceError:
                self.end = End.RESET
        self.over_at = trio.current_time()
        self.over.set()

    def begin(
        self, both_ends: trio.Nursery, transport: Transport, *, listen: bool
    ) -> None:
        both_ends.start_soon(self.serve, transport)
        if listen:
            both_ends.start_soon(self.listen)

    async def serve(self, transport: Transport) -> None:
        with self.serving:
            await serve(transport, self.service)
        self.served.set()


@contextlib.asynccontextmanager
async def talking(
    handler: Handler,
    *,
    limits: Limits | None = None,
    buffer: int = BUFFER,
    listen: bool = True,
    secure: bool = False,
    lane: bool = True,
) -> AsyncIterator[Talking]:
    """A connection to *handler*; leaving the block cancels what is left of it."""
    ours, theirs = memory_pair(buffer=buffer, secure=secure)
    records: list[Exchanged] = []
    service = Service(handler, limits or Limits(), record=records.append, lane=lane)
    token = runner.set(inline)
    try:
        with logged() as logs:
            async with service.running(), trio.open_nursery() as both_ends:
                talk = Talking(ours, service, records, logs, trio.CancelScope())
                talk.begin(both_ends, theirs, listen=listen)
                yield talk
                both_ends.cancel_scope.cancel()
    finally:
        runner.reset(token)


async def say(
    handler: Handler, *pieces: bytes, limits: Limits | None = None
) -> Talking:
    """Send the pieces, and wait for the server to end the connection by itself."""
    async with talking(handler, limits=limits) as talk:
        await talk.send(*pieces)
        await talk.farewell()
    return talk


class _Log(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@contextlib.contextmanager
def logged() -> Iterator[list[logging.LogRecord]]:
    """What the error log gets that is not for debugging."""
    handler = _Log()
    log = logging.getLogger("trioweb.error")
    log.addHandler(handler)
    try:
        yield handler.records
    finally:
        log.removeHandler(handler)


@dataclass(frozen=True)
class Answer:
    """One response as h11's client reads it."""

    status: int  # 0: there was no head
    headers: dict[str, str]
    body: bytes
    complete: bool
    interim: list[int] = field(default_factory=list)


class Heard(Protocol):
    """What a peer has heard on one connection."""

    @property
    def received(self) -> bytes: ...

    @property
    def end(self) -> End | None: ...


def answers(talk: Heard, methods: Iterable[str] = ()) -> list[Answer]:
    """The responses received, to requests with *methods* and then to GETs."""
    left, found = bytes(talk.received), []
    asked = iter(methods)
    while left:
        answer, left = _answer(left, next(asked, "GET"), talk.end)
        found.append(answer)
        if not answer.complete:
            break
    return found


def answer(talk: Talking, method: str = "GET") -> Answer:
    """The only response received."""
    (only,) = answers(talk, [method])
    return only


def _answer(data: bytes, method: str, end: End | None) -> tuple[Answer, bytes]:
    state = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 20)
    fields = [("host", "a"), ("connection", "upgrade"), ("upgrade", "any")]
    state.send(h11.Request(method=method, target="/", headers=fields))
    state.send(h11.EndOfMessage())
    state.receive_data(data)
    if end is End.FIN:
        state.receive_data(b"")
    status, headers, body, interim = 0, dict[str, str](), bytearray(), list[int]()
    complete = False
    with contextlib.suppress(h11.RemoteProtocolError):
        while not complete:
            event = state.next_event()
            if isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.InformationalResponse):
                interim.append(event.status_code)
                if event.status_code == 101:
                    break
            elif isinstance(event, h11.Response):
                status = event.status_code
                headers = {n.decode(): v.decode("latin-1") for n, v in event.headers}
            elif isinstance(event, h11.EndOfMessage):
                complete = True
            else:
                break
    left = state.trailing_data[0] if complete else b""
    return Answer(status, headers, bytes(body), complete, interim), left


def splits(data: bytes) -> Iterator[tuple[bytes, ...]]:
    """*data* whole, byte by byte, and cut in two at every position."""
    yield (data,)
    yield tuple(data[at : at + 1] for at in range(len(data)))
    for at in range(1, len(data)):
        yield data[:at], data[at:]
