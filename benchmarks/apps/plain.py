"""The work of the comparison, by trioweb, with all its defaults."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from benchmarks.apps import content
from trioweb import App, MemoryStore, Request, Response, file, sessions, stream
from trioweb.message.response import Send

app = App()


class Line(Struct):
    """So many of one thing."""

    sku: str
    count: int


class Order(Struct):
    """What somebody orders."""

    id: int
    name: Annotated[str, Meta(max_length=100)]
    lines: list[Line]


class Counted(Struct):
    """How many things an order is about."""

    id: int
    count: int


@app.get("/")
async def plaintext(request: Request) -> str:
    """Text."""
    return "Hello, World!"


@app.get("/json")
async def message(request: Request) -> dict[str, str]:
    """A small object."""
    return {"message": "Hello, World!"}


@app.get("/users/{id:int}")
async def user(request: Request, id: int) -> dict[str, int]:  # noqa: A002
    """A parameter of the path, converted."""
    return {"id": id}


@app.post("/echo")
async def echo(request: Request) -> bytes:
    """The body, as it came."""
    return await request.body()


@app.post("/orders")
async def count(request: Request) -> Counted:
    """A body of JSON, checked, and an answer with a type."""
    order = await request.json(Order)
    return Counted(order.id, sum(line.count for line in order.lines))


@app.get("/stream")
async def pieces(request: Request) -> Response:
    """A body in pieces, whose length nobody knows at its beginning."""
    return stream(_write)


async def _write(send: Send) -> None:
    for _ in range(content.PIECES):
        await send(content.PIECE)


@app.get("/file")
async def from_disk(request: Request) -> Response:
    """A file."""
    return await file(content.path())


@app.get("/big")
async def big(request: Request) -> bytes:
    """A large body."""
    return content.big()


@app.post("/upload")
async def upload(request: Request) -> str:
    """The length of a large body, which is taken piece by piece."""
    return str(sum([len(piece) async for piece in request.stream(limit=content.MOST)]))


# The only route with a layer.  Its store may have more than one worker beside it, for
# the work of two workers asks no session.
visited = app.group("", layers=[sessions(MemoryStore(per_worker=True))])


@visited.get("/session")
async def visit(request: Request) -> str:
    """Look into the session, and write to it."""
    visits: Any = request.session.get("visits", 0)
    request.session["visits"] = visits + 1
    return "known" if visits else "unknown"
