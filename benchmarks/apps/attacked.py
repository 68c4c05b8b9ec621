"""The application that is attacked: every kind of exchange, and figures of itself."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from pathlib import Path

import trio

from trioweb import App, Key, Request, Response, file, stream
from trioweb.message.response import Send
from trioweb.message.site import Site

app = App()

FILE = Key[Path]("file")

# Bytes of one piece of a streamed body: what an application that streams records or
# lines writes at once.  It holds one of them while its peer does not read.
PIECE = bytes(16 * 1024)

# More than any socket buffer takes: whoever does not read stops its writer.
LARGE = 64 * 1024 * 1024
SHORT = 64 * 1024

FILE_SIZE = 100 * 1024


@app.lifespan
async def one_file(site: Site) -> AsyncIterator[None]:
    """A file to be served, in the server's own directory."""
    path = site.directory / "served.bin"
    path.write_bytes(bytes(FILE_SIZE))
    app[FILE] = path
    yield


@app.get("/")
async def hello(request: Request) -> str:
    """What the canary asks for."""
    return "hello"


@app.get("/number/{number}")
async def number(request: Request, number: str) -> str:
    """Answer with what was asked, so that the order of answers can be checked."""
    return number


@app.get("/figures")
async def figures(request: Request) -> dict[str, int]:
    """What this process holds, as no one sees it from outside."""
    return {
        "tasks": trio.lowlevel.current_statistics().tasks_living,
        "threads": threading.active_count(),
    }


@app.post("/upload")
async def upload(request: Request) -> dict[str, int]:
    """Take a body piece by piece and forget it."""
    received = 0
    async for piece in request.stream():
        received += len(piece)
    return {"received": received}


@app.post("/body")
async def body(request: Request) -> dict[str, int]:
    """Take a body as a whole, as most handlers do."""
    return {"received": len(await request.body())}


@app.get("/stream")
async def streamed(request: Request) -> Response:
    """A body of moderate length, in pieces."""
    return _zeros(SHORT)


@app.get("/large")
async def large(request: Request) -> Response:
    """A body that only a peer who reads ever gets to its end."""
    return _zeros(LARGE)


@app.get("/file")
async def served(request: Request) -> Response:
    """A file."""
    return await file(app[FILE])


def _zeros(length: int) -> Response:
    async def write(send: Send) -> None:
        for _ in range(length // len(PIECE)):
            await send(PIECE)

    return stream(write)
