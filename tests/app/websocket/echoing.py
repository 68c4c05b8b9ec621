"""Routes of WebSockets that say everything back."""

from __future__ import annotations

from trio_websocket import WebSocketConnection

from trioweb import App, Request, messages


async def echo(request: Request, ws: WebSocketConnection) -> None:
    async for message in messages(ws):
        await ws.send_message(message)


def echoing() -> App:
    app = App()
    app.websocket("/")(echo)
    app.websocket("/deflate", deflate=True)(echo)
    app.websocket("/small", message=10, fragments=2)(echo)
    app.websocket("/large", message=1 << 22)(echo)
    app.websocket("/quiet", ping=None)(echo)
    return app
