"""What is built so far, live: one page whose every card is a call to this program."""

from __future__ import annotations

import sys
import time
from hashlib import sha256
from os import getpid
from pathlib import Path
from secrets import token_hex
from typing import Annotated

import trio
from msgspec import Meta, MsgspecError, Struct
from msgspec.json import decode, encode
from showcase_hand import converse
from showcase_notes import notes
from trio_websocket import WebSocketConnection

import trioweb
from trioweb import App, NotFound, Request, Response, Send, file, sessions, stream
from trioweb.message.handler import Handler

PAGES = Path(__file__).parent / "pages/showcase"
MIB = 1 << 20  # bytes

app = App()
rooms = trioweb.Rooms(app, policy="oldest")


class Pulse(Struct):
    """What the line at the top of the page shows."""

    answered: int = 0  # requests
    at_work: int = 0  # handlers
    cancelled: int = 0  # handlers, by a deadline or because their peer went away
    flooded: int = 0  # bytes that the last flood could write
    uploaded: int = 0  # bytes that the last upload's handler has taken
    up: float = 0  # seconds


pulse = Pulse()
begun = time.monotonic()


async def counted(request: Request, handler: Handler) -> Response:
    """A layer: count the request, and say how long its handler took."""
    came = time.perf_counter()
    pulse.at_work += 1
    try:
        response = await handler(request)
    except trio.Cancelled:
        pulse.cancelled += 1
        raise
    finally:
        pulse.at_work -= 1
    pulse.answered += 1
    took = (time.perf_counter() - came) * 1000  # milliseconds
    response.headers["server-timing"] = f"handler;dur={took:.2f}"
    return response


app.use(counted)
app.use(sessions())
notes(app)


PARTS = {"board.js", "showcase.css", "showcase.js", "talk.js"}


@app.get("/")
async def page(request: Request) -> Response:
    """Answer with the page."""
    return await file(PAGES / "showcase.html")


@app.get("/parts/{name}")
async def part(request: Request, name: str) -> Response:
    """Answer with one of the page's parts."""
    if name not in PARTS:
        raise NotFound(f"the page has no part {name!r}")
    return await file(PAGES / name, headers={"cache-control": "no-cache"})


@app.get("/source")
async def source(request: Request) -> Response:
    """Answer with this very program, as it lies on the disk."""
    return await file(__file__, content_type="text/plain; charset=utf-8")


@app.get("/pulse")
async def watch(request: Request) -> Response:
    """Send the pulse as events until the peer leaves or the server stops."""

    async def talk(stream: trioweb.EventStream) -> None:
        while True:
            pulse.up = round(time.monotonic() - begun, 1)
            await stream.send(pulse)
            await trio.sleep(0.25)

    return trioweb.events(talk, retry=500)


@app.get("/ticks")
async def ticks(request: Request) -> Response:
    """Send five events, and say which was heard last by whoever comes back."""

    async def talk(stream: trioweb.EventStream) -> None:
        await stream.send({"heard last": stream.last_event_id or None}, event="hello")
        for number in range(1, 6):
            await stream.send(f"tick {number}\nof 5", id=number)
            await trio.sleep(0.3)

    return trioweb.events(talk)


class Dot(Struct, array_like=True):
    """A point of a line on the board, which the first one begins."""

    x: Annotated[int, Meta(ge=0, le=1000)]
    y: Annotated[int, Meta(ge=0, le=1000)]
    first: bool


@app.websocket("/board", message=64)
async def board(request: Request, ws: WebSocketConnection) -> None:
    """Show what one visitor draws to all of them, whichever worker they have."""
    who, worker = token_hex(3), app.site.worker
    await ws.send_message(encode([who, worker]).decode())
    async with rooms.join("board", ws):
        async for message in trioweb.messages(ws):
            try:
                dot = decode(message, type=Dot)
            except MsgspecError as error:
                await ws.aclose(1008, str(error)[:100])
                return
            news = encode([who, worker, dot.x, dot.y, dot.first])
            await rooms.broadcast("board", news.decode())


VERSE = (
    "바람이 불어오면 한 조각씩, \none piece after another, \nand nothing is kept back."
)


@app.get("/pieces")
async def pieces(request: Request) -> Response:
    """Send a verse word by word, as if it was just being written."""

    async def write(send: Send) -> None:
        for word in VERSE.split(" "):
            await send(f"{word} ".encode())
            await trio.sleep(0.15)

    return stream(write, "text/plain; charset=utf-8")


@app.get("/flood")
async def flood(request: Request) -> Response:
    """Send 64 MiB as fast as the reader takes them, and no faster."""
    pulse.flooded = 0

    async def write(send: Send) -> None:
        piece = bytes(64 * 1024)
        while pulse.flooded < 64 * MIB:
            if request.draining.is_set():
                # Cut, and not as if this were all: a stop waits for no flood.
                raise trioweb.PeerGone
            await send(piece)
            pulse.flooded += len(piece)

    return stream(write, headers={"cache-control": "no-store"})


@app.post("/upload", body_limit=64 * MIB)
async def upload(request: Request) -> dict[str, object]:
    """Take a body piece by piece; ``?pause=10`` rests 10 ms after each."""
    pause = request.query.get("pause", "0")
    if not (pause.isascii() and pause.isdigit() and int(pause) <= 50):
        raise trioweb.BadRequest("pause is a number of milliseconds from 0 to 50")
    pulse.uploaded, digest = 0, sha256()
    async for piece in request.stream():
        digest.update(piece)
        pulse.uploaded += len(piece)
        await trio.sleep(int(pause) / 1000)
    return {"bytes": pulse.uploaded, "sha256": digest.hexdigest()}


@app.get("/whoami")
async def whoami(request: Request) -> dict[str, object]:
    """Say what is known of whoever asks."""
    return {
        "peer": str(request.peer),
        "version": f"HTTP/{request.version}",
        "url": request.url,
        "headers": list(request.headers.pairs()),
    }


@app.get("/walks/{year:int}/{city}/{way:path}", name="walk")
async def walk(request: Request, year: int, city: str, way: str) -> dict[str, object]:
    """Show what the pattern found, converted, and what the query says."""
    return {
        "route": request.route,
        "year": year,
        "city": city,
        "way": way,
        "query": request.query.pairs,
        "built": app.url("walk", year=year, city=city, way=way),
    }


@app.resource("/theme")
class Theme:
    """The colours of the page, kept in a cookie."""

    async def get(self, request: Request) -> dict[str, str]:
        """Show every cookie that came."""
        return dict(request.cookies)

    async def put(self, request: Request) -> Response:
        """Set it for a week."""
        theme = await request.text()
        if theme not in {"light", "dark"}:
            raise trioweb.BadRequest("a theme is light or dark")
        response = Response(204)
        response.set_cookie("theme", theme, max_age=7 * 86400, same_site="strict")
        return response

    async def delete(self, request: Request) -> Response:
        """Forget it."""
        response = Response(204)
        response.delete_cookie("theme", same_site="strict")
        return response


@app.resource("/visits")
class Visits:
    """A counter in the visitor's session, right however many count at once."""

    async def get(self, request: Request) -> dict[str, object]:
        """Show it, and which process has answered."""
        return {"counted": request.session.get("counted", 0), "by process": getpid()}

    async def post(self, request: Request) -> dict[str, object]:
        """Count one more."""
        counted = await request.session.update("counted", lambda n: (n or 0) + 1)
        return {"counted": counted, "by process": getpid()}

    async def delete(self, request: Request) -> Response:
        """End the session."""
        request.session.destroy()
        return Response(204)


@app.get("/refuse/{status:int}")
async def refuse(request: Request, status: int) -> None:
    """Refuse with the status asked for."""
    if not 400 <= status <= 599:
        raise NotFound("a refusal has a status from 400 to 599")
    raise trioweb.HTTPError(status, "because you asked for it")


@app.get("/boom")
async def boom(request: Request) -> None:
    """Fail; the log gets the traceback, the peer sees nothing of the inside."""
    raise RuntimeError("the password of the database is in this message")


@app.get("/patience")
async def patience(request: Request) -> str:
    """Answer after ten seconds, unless the peer has left by then."""
    await trio.sleep(10)
    return "Thank you for waiting."


@app.get("/deadline", timeout=1)
async def deadline(request: Request) -> None:
    """Take longer than the route allows."""
    await trio.sleep_forever()


@app.post("/by-hand", body_limit=8 * 1024)
async def by_hand(request: Request) -> Response:
    """Give bytes to a connection of their own, and show the bytes that come back."""
    if request.peer.host == "memory":
        raise trioweb.Conflict("a hand cannot write with itself")
    answer = await converse(app, await request.body())
    return trioweb.text(answer.decode(errors="replace"))


if __name__ == "__main__":
    trioweb.run(app, bind=sys.argv[1:] or "localhost:8080")
