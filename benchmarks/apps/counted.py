"""Plaintext with one thing more in each route: what does that thing cost?"""

from __future__ import annotations

import msgspec
import trio

from trioweb import (
    App,
    Handler,
    Request,
    Response,
    Send,
    allowed_hosts,
    sessions,
    stream,
    text,
)

HELLO = "Hello, World!"

app = App()
greetings = app.counter("greetings_total", "Those whom we have greeted.", ["whom"])


async def through(request: Request, handler: Handler) -> Response:
    """Do nothing, as a layer."""
    return await handler(request)


async def hello(request: Request) -> str:
    """Text."""
    return HELLO


app.get("/layer", layers=[through])(hello)
app.get("/hosts", layers=[allowed_hosts("a")])(hello)
app.get("/timeout", timeout=5)(hello)


@app.get("/query")
async def query(request: Request) -> str:
    """A parameter of the query."""
    return f"Hello, {request.query['name']}!"


@app.get("/cookies")
async def cookies(request: Request) -> str:
    """A cookie of the peer's."""
    return f"Hello, {request.cookies['a']}!"


@app.get("/cookie")
async def cookie(request: Request) -> Response:
    """A cookie of ours."""
    response = text(HELLO)
    response.set_cookie("a", "World", http_only=True, same_site="lax")
    return response


@app.post("/body")
async def body(request: Request) -> str:
    """A body, all of it."""
    return f"Hello, {(await request.body()).decode()}!"


class Named(msgspec.Struct):
    """Somebody."""

    name: str


@app.post("/typed")
async def typed(request: Request) -> str:
    """A body that must be of a type."""
    return f"Hello, {(await request.json(Named)).name}!"


@app.get("/streamed")
async def streamed(request: Request) -> Response:
    """A body that is written when the handler has returned, in one piece."""

    async def write(send: Send) -> None:
        await send(HELLO.encode())

    return stream(write, "text/plain; charset=utf-8")


@app.get("/counted")
async def counted(request: Request) -> str:
    """A figure for whoever watches."""
    greetings.add(whom="world")
    return HELLO


@app.get("/checkpoint")
async def checkpoint(request: Request) -> str:
    """Let others have their turn once."""
    await trio.lowlevel.checkpoint()
    return HELLO


@app.get("/nursery")
async def nursery(request: Request) -> str:
    """A task beside that of the handler, each with a checkpoint."""
    async with trio.open_nursery() as helping:
        helping.start_soon(trio.lowlevel.checkpoint)
        await trio.lowlevel.checkpoint()
    return HELLO


visited = app.group("", layers=[sessions()])


@visited.get("/load")
async def load(request: Request) -> str:
    """Look into the session; the first visit writes what there is to see."""
    if "name" not in request.session:
        request.session["name"] = "World"
    return f"Hello, {request.session['name']}!"


@visited.get("/save")
async def save(request: Request) -> str:
    """Look into the session, and write to it."""
    visits = request.session.get("visits", 0)
    request.session["visits"] = int(str(visits)) + 1
    return HELLO
