"""Applications of one WebSocket, and ways to leave it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio
from trio_websocket import WebSocketConnection

from trioweb import App, Request, messages
from trioweb.message.exchange import OnDisconnect
from trioweb.testing import WebSocketPeer
from trioweb.testing.httpx_client import Client

Handler = Callable[[Request, WebSocketConnection], Awaitable[None]]


def app_of(handler: Handler, on_disconnect: OnDisconnect = "cancel") -> App:
    app = App()
    app.websocket("/", on_disconnect=on_disconnect)(handler)
    return app


async def echo(request: Request, ws: WebSocketConnection) -> None:
    async for message in messages(ws):
        await ws.send_message(message)


async def forever(request: Request, ws: WebSocketConnection) -> None:
    await trio.sleep_forever()


async def leave_by_close(ws: WebSocketPeer, peer: Client) -> None:
    await ws.close()


async def leave_by_reset(ws: WebSocketPeer, peer: Client) -> None:
    ws.abort()


Leave = Callable[[WebSocketPeer, Client], Awaitable[None]]
