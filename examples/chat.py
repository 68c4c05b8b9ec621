"""A chat over two workers: who is in a room hears all, wherever they are connected."""

from __future__ import annotations

import sys
from pathlib import Path
from secrets import token_hex
from typing import Literal

import trio
from msgspec import Struct
from msgspec.json import encode
from trio_websocket import WebSocketConnection

from trioweb import App, NotFound, Request, Response, Rooms, file, messages, run

PAGES = Path(__file__).parent / "pages/chat"
PARTS = {"chat.css", "chat.js"}
NAME_LIMIT = 24  # characters, of people and of rooms
TEXT_LIMIT = 4096  # bytes of what is said at once

app = App()
rooms = Rooms(app)


class News(Struct, omit_defaults=True):
    """What the page is told; *you* tells a newcomer its own identity."""

    kind: Literal["you", "came", "said", "left"]
    identity: str
    who: str
    worker: int
    text: str = ""

    def encoded(self) -> str:
        """The news as they are sent."""
        return encode(self).decode()


@app.get("/")
async def page(request: Request) -> Response:
    """Answer with the page."""
    return await file(PAGES / "chat.html")


@app.get("/parts/{name}")
async def part(request: Request, name: str) -> Response:
    """Answer with one of the page's parts."""
    if name not in PARTS:
        raise NotFound(f"the page has no part {name!r}")
    return await file(PAGES / name, headers={"cache-control": "no-cache"})


@app.websocket("/rooms/{room}", message=TEXT_LIMIT)
async def chat(request: Request, ws: WebSocketConnection, room: str) -> None:
    """Tell everybody in the room what one says, and who comes and goes."""
    identity, worker = token_hex(4), app.site.worker
    who = request.query.get("name", "")[:NAME_LIMIT] or "somebody"
    room = room[:NAME_LIMIT]

    async def tell(kind: Literal["came", "said", "left"], text: str = "") -> None:
        news = News(kind, identity, who, worker, text)
        await rooms.broadcast(room, news.encoded())

    await ws.send_message(News("you", identity, who, worker).encoded())
    async with rooms.join(room, ws):
        await tell("came")
        try:
            async for message in messages(ws):
                if isinstance(message, str):
                    await tell("said", message)
        finally:
            # Whoever leaves by closing the page has cancelled this very block.
            with trio.move_on_after(1, shield=True):
                await tell("left")


if __name__ == "__main__":
    run(app, bind=sys.argv[1:] or "localhost:8080", workers=2)
