"""An application whose workers talk to each other, and say what they have heard.

GET  /who                       its process
POST /say/{room}                publishes the content, which is JSON
POST /count/{first:int}         publishes a hundred numbers, from this one on
POST /flood/{count:int}/{size:int}  publishes so many messages of so many bytes
GET  /listen                    the process, then what is said, as lines
GET  /heard                     the process, and all that was published in "room" so far
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from trioweb import App, Request, Response, Send, stream
from trioweb.message.site import Site
from trioweb.message.topics import Subscription

app = App()
heard: list[object] = []


@app.lifespan
@asynccontextmanager
async def listening(site: Site) -> AsyncIterator[None]:
    """Hear what is said in the room, from the start to the end."""
    with site.topics.subscribe("room") as messages:
        async with trio.open_nursery() as listeners:
            listeners.start_soon(listen, messages)
            yield
            listeners.cancel_scope.cancel(reason="the worker stops")


async def listen(messages: Subscription) -> None:
    """Remember every message."""
    async for message in messages:
        heard.append(message)  # noqa: PERF401  # one by one, as they come


@app.get("/who")
async def who(request: Request) -> dict[str, int]:
    """Say which worker answers."""
    return {"pid": os.getpid()}


@app.post("/say/{room}")
async def say(request: Request, room: str) -> dict[str, int]:
    """Tell everybody."""
    await app.site.topics.publish(room, await request.json())
    return {"pid": os.getpid()}


@app.post("/count/{first:int}")
async def count(request: Request, first: int) -> str:
    """Tell everybody a hundred things, one after the other."""
    for number in range(first, first + 100):
        await app.site.topics.publish("room", number)
    return "told"


@app.post("/flood/{count:int}/{size:int}")
async def flood(request: Request, count: int, size: int) -> str:
    """Tell everybody far too much."""
    for number in range(count):
        await app.site.topics.publish("room", [number, bytes(size)])
    return "told"


@app.get("/listen")
async def listening_in(request: Request) -> Response:
    """Pass on what is said in the room, as lines."""

    async def lines(send: Send) -> None:
        topics = app.site.topics
        with topics.subscribe("room", until=request.draining) as messages:
            await send(f"{os.getpid()}\n".encode())
            async for message in messages:
                await send(f"{message}\n".encode())

    return stream(lines, "text/plain")


@app.get("/heard")
async def what(request: Request) -> dict[str, object]:
    """Say what was heard; of a flood only the numbers."""
    numbers = [each[0] if isinstance(each, list) else each for each in heard]
    return {"pid": os.getpid(), "heard": numbers}
