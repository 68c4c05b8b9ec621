"""WebSockets in memory: both ends, with or without room on the way between them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast

import trio
import trio.testing
from trio_websocket import (
    WebSocketConnection,
    wrap_client_stream,
    wrap_server_stream,
)


@dataclass(frozen=True)
class Pair:
    """One WebSocket: the server's end, the peer's, and what carries the peer's."""

    ours: WebSocketConnection
    theirs: WebSocketConnection
    stream: trio.abc.Stream


@asynccontextmanager
async def pairing(*, narrow: bool = False) -> AsyncIterator[Pair]:
    """A WebSocket while the block lasts.

    On a *narrow* one a piece is sent only while the other end takes it, and the peer
    takes nothing beyond the second message that nobody has asked for.
    """
    near: trio.abc.Stream
    far: trio.abc.Stream
    if narrow:
        near, far = trio.testing.lockstep_stream_pair()
    else:
        near, far = trio.testing.memory_stream_pair()
    # Any stream will do, though the library says otherwise.
    carrier = cast("trio.SocketStream", far)
    ends: list[WebSocketConnection] = []
    async with trio.open_nursery() as readers:

        async def accept() -> None:
            ends.append(await (await wrap_server_stream(readers, near)).accept())

        async with trio.open_nursery() as opening:
            opening.start_soon(accept)
            peer = await wrap_client_stream(readers, carrier, "test", "/")
        yield Pair(ends[0], peer, far)
        readers.cancel_scope.cancel(reason="the block has ended")
