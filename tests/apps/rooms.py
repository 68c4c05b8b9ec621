"""An application whose WebSockets share rooms, for tests of several workers.

/join/{room}   WebSocket: its process as text; then each message goes to the whole room
/pulse         events: its process, for as long as anybody listens
/who           the process, and how many are in "tea" by way of it
"""

from __future__ import annotations

import os

import trio
from trio_websocket import WebSocketConnection

from trioweb import App, EventStream, Request, Response, Rooms, events, messages

app = App()
rooms = Rooms(app)


@app.websocket("/join/{room}")
async def join(request: Request, ws: WebSocketConnection, room: str) -> None:
    """Pass on what one says."""
    async with rooms.join(room, ws):
        await ws.send_message(str(os.getpid()))
        async for message in messages(ws):
            await rooms.broadcast(room, message)


@app.get("/pulse")
async def pulse(request: Request) -> Response:
    """Say which worker answers, ten times a second."""

    async def talk(stream: EventStream) -> None:
        while True:
            await stream.send(str(os.getpid()))
            await trio.sleep(0.1)

    return events(talk)


@app.get("/who")
async def who(request: Request) -> dict[str, int]:
    """Say which worker answers, and who is in its room."""
    return {"pid": os.getpid(), "members": rooms.members("tea")}
