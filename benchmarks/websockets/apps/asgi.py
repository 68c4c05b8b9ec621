"""The work of the comparison of WebSockets, as a bare ASGI application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

Event = dict[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]

_room: set[Send] = set()


async def app(scope: Event, receive: Receive, send: Send) -> None:
    """Serve one WebSocket; nothing else is asked for, not even a lifespan."""
    if scope["type"] != "websocket":
        msg = "only WebSockets are served here"
        raise NotImplementedError(msg)
    await receive()
    await send({"type": "websocket.accept"})
    if scope["path"] == "/echo":
        await _talk(receive, lambda: [send])
        return
    _room.add(send)
    try:
        await _talk(receive, lambda: [*_room])
    finally:
        _room.discard(send)


async def _talk(receive: Receive, hearers: Callable[[], list[Send]]) -> None:
    while (event := await receive())["type"] == "websocket.receive":
        said = {**event, "type": "websocket.send"}
        for send in hearers():
            await send(said)
