"""The work of the comparison of WebSockets, by trioweb, with all its defaults.

With SHARES in the environment, where its time has gone is told at the end.
"""

from __future__ import annotations

import os

from trio_websocket import WebSocketConnection

from benchmarks.websockets.shares import tell
from trioweb import App, Request, Rooms, messages

if "SHARES" in os.environ:
    tell(os.environ["SHARES"])

app = App()
rooms = Rooms(app)


@app.websocket("/echo")
async def echo(request: Request, ws: WebSocketConnection) -> None:
    """Each message, as it came."""
    async for message in messages(ws):
        await ws.send_message(message)


@app.websocket("/room")
async def room(request: Request, ws: WebSocketConnection) -> None:
    """Each message, to everybody who is there."""
    async with rooms.join("room", ws):
        async for message in messages(ws):
            await rooms.broadcast("room", message)
