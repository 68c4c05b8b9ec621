"""An application that counts, and tells what all its workers have counted.

GET  /who                    its process
GET  /metrics                the figures of the whole server
GET  /health/live, /ready    how it is
POST /order/{paid}           counts an order, and says which worker did
GET  /sleep/{seconds:float}  an answer after that time

$COUNTED_WAITS names a file that must be there before it serves.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import trio

from trioweb import App, Request, health, metrics
from trioweb.message.site import Site

app = App()
orders = app.counter("orders_total", "Orders that were taken.", ["paid"])
items = app.histogram("order_items", "Items in an order.", bounds=[1, 2, 5])
app.mount("/metrics", metrics())
app.mount("/health", health())


@app.lifespan
async def waiting(site: Site) -> AsyncIterator[None]:
    """Be ready only when told to be."""
    file = trio.Path(os.environ.get("COUNTED_WAITS", "/"))
    while not await file.exists():  # noqa: ASYNC110  # the test makes it
        await trio.sleep(0.02)
    yield


@app.get("/who")
async def who(request: Request) -> dict[str, int]:
    """Say which worker answers."""
    return {"pid": os.getpid()}


@app.post("/order/{paid}")
async def order(request: Request, paid: str) -> dict[str, int]:
    """Count an order of three items."""
    orders.add(paid=paid)
    items.observe(3)
    return {"pid": os.getpid()}


@app.get("/sleep/{seconds:float}")
async def sleep(request: Request, seconds: float) -> str:
    """Answer later."""
    await trio.sleep(seconds)
    return "slept"
