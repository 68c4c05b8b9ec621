"""The library that speaks WebSocket: fetched when it is wanted, and its public door."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, cast

import trio

from trioweb.message.errors import SetupError

try:
    from trio_websocket import ConnectionClosed, wrap_server_stream
    from wsproto.utilities import LocalProtocolError
except ModuleNotFoundError as error:
    _MISSING = 'WebSockets need trio-websocket: pip install "trioweb[websocket]"'
    raise SetupError(_MISSING) from error

if TYPE_CHECKING:
    from trio_websocket import WebSocketConnection

# What it raises where the connection is closed: the second where a Close has come in
# between its looking and its sending.
CLOSED = (ConnectionClosed, LocalProtocolError)


class _Reading:
    """A nursery as far as the library wants one: for the task that reads.

    A ping that comes when our Close has been sent ends that task with an error, though
    there is nothing wrong: it is to look at what follows, the peer's own Close.
    """

    def __init__(self, tasks: trio.Nursery) -> None:
        self._tasks = tasks

    def start_soon(self, read: Callable[[], Awaitable[None]]) -> None:
        self._tasks.start_soon(self._read, read)

    async def _read(self, read: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                return await read()
            except LocalProtocolError:
                continue


async def wrap(
    stream: trio.abc.Stream, tasks: trio.Nursery, *, largest: int, protocol: str | None
) -> WebSocketConnection:
    """A WebSocket on *stream*, which is read by a task in *tasks*.

    *stream* begins with a handshake as in `question`, and gets the answer to it.
    *largest* is the size of a message in bytes, *protocol* the subprotocol.
    """
    # It is asked for nothing but this one method.
    reading = cast("trio.Nursery", _Reading(tasks))
    asked = await wrap_server_stream(
        reading, stream, max_message_size=largest, receive_buffer_size=None
    )
    return await asked.accept(subprotocol=protocol)


def question(target: str, authority: str, protocol: str | None) -> bytes:
    """A handshake of RFC 6455 section 4.1, as the library knows them.

    The real one was answered by us; of this one nobody will see the answer.
    """
    lines = [
        f"GET {target} HTTP/1.1",
        f"Host: {authority or 'none'}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    ]
    if protocol is not None:
        lines.append(f"Sec-WebSocket-Protocol: {protocol}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")
