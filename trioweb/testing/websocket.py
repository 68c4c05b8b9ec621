"""The other side of a WebSocket, in memory.

The handshake is a request of the test's client; then wsproto says what frames mean.  A
task reads all the time, as a browser does: pings are answered, and messages wait,
however many, until the test asks for them.
"""

from __future__ import annotations

import base64
import math
import os
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Self

import trio
from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import (
    BytesMessage,
    CloseConnection,
    Ping,
    Pong,
    TextMessage,
)

from trioweb.message.errors import TriowebError
from trioweb.rules.handshake import accept
from trioweb.rules.headers import Headers
from trioweb.run.groups import without_groups

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from wsproto.events import Event

    from trioweb.testing.peer import RawPeer, RawResponse

# What a connection without a Close has ended with (RFC 6455 section 7.1.5).
_ABNORMAL = 1006

# Fields of a client's requests that are about its own connections.
_HOP = frozenset({b"connection", b"host", b"accept-encoding"})

_GONE = (trio.BrokenResourceError, trio.ClosedResourceError)


class WebSocketRefused(TriowebError):
    """The handshake was answered with something else: an ordinary response."""

    def __init__(self, status: int, headers: Headers, body: bytes) -> None:
        super().__init__(status, body)
        self.status = status
        self.headers = headers
        self.body = body


class WebSocketClosed(TriowebError):
    """The WebSocket is closed, with this code and reason; 1006 where none was said."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


class WebSocketPeer:
    """One WebSocket to the application; ``async for message in ws`` hears it out.

    *headers* are those of the handshake's answer, *subprotocol* is what was chosen.
    *closed* is why it ended, None while it lasts.
    """

    def __init__(self, peer: RawPeer, response: RawResponse) -> None:
        self.headers = response.headers
        self.subprotocol = response.headers.get("sec-websocket-protocol")
        self.closed: WebSocketClosed | None = None
        self._peer = peer
        self._frames = Connection(ConnectionType.CLIENT)
        self._turn = trio.Lock()  # one frame after the other
        self._text: list[str] = []
        self._binary: list[bytes | bytearray] = []
        self._come, self._messages = trio.open_memory_channel[str | bytes](math.inf)
        self._over = trio.Event()
        self._ponged = trio.Event()

    async def send(self, message: str | bytes) -> None:
        """Send text, or bytes; WebSocketClosed once that cannot be."""
        if isinstance(message, str):
            await self._send(TextMessage(data=message))
        else:
            await self._send(BytesMessage(data=message))

    async def receive(self) -> str | bytes:
        """The next message, as text or bytes; WebSocketClosed after the last."""
        try:
            return await self._messages.receive()
        except trio.EndOfChannel:
            raise self._why() from None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str | bytes:
        try:
            return await self._messages.receive()
        except trio.EndOfChannel:
            raise StopAsyncIteration from None

    async def ping(self, payload: bytes = b"") -> None:
        """Send a ping and wait for the next pong."""
        self._ponged = trio.Event()
        await self._send(Ping(payload=payload))
        await self._ponged.wait()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Send a Close, and wait until the server has ended the connection."""
        if self.closed is None and self._frames.state is ConnectionState.OPEN:
            with suppress(WebSocketClosed):
                await self._send(CloseConnection(code=code, reason=reason))
        await self._over.wait()

    def abort(self) -> None:
        """Reset the connection: the server sees an error, and not an end."""
        self._peer.abort()

    async def read(self) -> None:
        """Hear what comes until the connection ends; `websocket` runs this."""
        with suppress(*_GONE):
            while data := await self._peer.receive():
                if self._frames.state is not ConnectionState.CLOSED:
                    self._frames.receive_data(data)
                    for event in self._frames.events():
                        await self._hear(event)
        self.closed = self._why()
        await self._come.aclose()
        self._over.set()
        self._ponged.set()

    async def _hear(self, event: Event) -> None:
        if isinstance(event, TextMessage | BytesMessage):
            self._take(event)
        elif isinstance(event, Ping):
            # One that crosses our Close is not answered (RFC 6455 section 5.5.1).
            if self._frames.state is ConnectionState.OPEN:
                await self._write(self._frames.send(event.response()))
        elif isinstance(event, Pong):
            self._ponged.set()
        elif isinstance(event, CloseConnection):
            self.closed = WebSocketClosed(int(event.code), event.reason or "")
            if self._frames.state is ConnectionState.REMOTE_CLOSING:
                await self._write(self._frames.send(event.response()))

    def _take(self, event: TextMessage | BytesMessage) -> None:
        if isinstance(event, TextMessage):
            self._text.append(event.data)
        else:
            self._binary.append(event.data)
        if event.message_finished:
            text = isinstance(event, TextMessage)
            whole = "".join(self._text) if text else b"".join(self._binary)
            self._text, self._binary = [], []
            self._come.send_nowait(whole)

    async def _send(self, event: Event) -> None:
        if self.closed is not None or self._frames.state is not ConnectionState.OPEN:
            raise self._why()
        await self._write(self._frames.send(event))

    async def _write(self, data: bytes) -> None:
        async with self._turn:
            with suppress(*_GONE):  # which the reader is told as well
                await self._peer.send(data)

    def _why(self) -> WebSocketClosed:
        return self.closed or WebSocketClosed(_ABNORMAL, "")


@asynccontextmanager
async def talking(
    peer: RawPeer,
    target: str,
    fields: list[tuple[bytes, bytes]],
    subprotocols: Sequence[str],
) -> AsyncIterator[WebSocketPeer]:
    """A WebSocket on *peer*, closed after the block; WebSocketRefused without one.

    *fields* are those of an ordinary request for *target*.
    """
    key = base64.b64encode(os.urandom(16)).decode("ascii")
    headers = Headers.from_wire(
        [line for line in fields if line[0].lower() not in _HOP]
    )
    headers["connection"] = "Upgrade"
    headers.setdefault("upgrade", "websocket")
    headers.setdefault("sec-websocket-version", "13")
    headers.setdefault("sec-websocket-key", key)
    if subprotocols:
        headers["sec-websocket-protocol"] = ", ".join(subprotocols)
    async with peer:
        response = await peer.request("GET", target, headers=headers)
        if response.status != 101:
            body = await response.body()
            raise WebSocketRefused(response.status, response.headers, body)
        if response.headers.get("sec-websocket-accept") != accept(key):
            msg = "the server accepts another handshake than ours"
            raise TriowebError(msg)
        with without_groups():
            async with trio.open_nursery() as reading:
                ws = WebSocketPeer(peer, response)
                reading.start_soon(ws.read)
                yield ws
                await ws.close()
                reading.cancel_scope.cancel(reason="the test has ended")
