"""An application for black-box tests from outside: what it answers stays as it is.

GET and HEAD of any path answer 24 bytes of text with a Content-Length; POST, PUT, PATCH
and DELETE of any path answer the body they came with.  Beside these:

/echo                   any method: the fields received, as lines of "Name: value"
/cookie                 the cookies received, as lines of "name=value"
/big                    4 MiB
/stream/{n:int}         n pieces of 1 KiB, chunked
/sleep/{seconds:float}  an answer after that time
/boom                   an exception
/                       WebSocket: each message comes back, text as text; 16 MiB at most
"""

from __future__ import annotations

import sys

import trio
from trio_websocket import WebSocketConnection

from trioweb import (
    App,
    MethodNotAllowed,
    Request,
    Response,
    messages,
    run,
    stream,
    text,
)
from trioweb.message.response import Send

GREETING = "Hello from trioweb probe"
MIB = 1 << 20  # bytes

# Content that is sent back: more than any test of framing sends, and bounded.
LARGEST = 64 * MIB

EVERY = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")

app = App()


async def anywhere(request: Request) -> Response:
    """Answer what no route knows: a greeting, or the content that came."""
    if request.method in {"GET", "HEAD"}:
        return text(GREETING)
    if request.method == "OPTIONS":
        return Response(204, {"allow": ", ".join(EVERY)})
    if request.method not in EVERY:
        raise MethodNotAllowed(EVERY)
    kind = request.headers.get("content-type", "application/octet-stream")
    return Response(200, {"content-type": kind}, await request.body(LARGEST))


app.mount("/", anywhere)
app.route("/", EVERY)(anywhere)  # beside the WebSocket that is there, too


@app.route("/echo", EVERY)
async def echo(request: Request) -> str:
    """Answer with the fields received, each on a line, in their order."""
    return "".join(f"{name}: {value}\n" for name, value in request.headers.pairs())


@app.route("/cookie", EVERY)
async def cookie(request: Request) -> str:
    """Answer with the cookies received, each on a line, in their order."""
    return "".join(f"{name}={value}\n" for name, value in request.cookies.pairs)


@app.get("/big")
async def big(request: Request) -> bytes:
    """Answer with 4 MiB."""
    return bytes(4 * MIB)


@app.get("/stream/{n:int}")
async def streamed(request: Request, n: int) -> Response:
    """Answer with *n* pieces of 1 KiB."""

    async def write(send: Send) -> None:
        for _ in range(n):
            await send(b"x" * 1024)

    return stream(write)


@app.get("/sleep/{seconds:float}", timeout=None)
async def sleep(request: Request, seconds: float) -> str:
    """Answer after a while."""
    await trio.sleep(seconds)
    return GREETING


@app.get("/boom")
async def boom(request: Request) -> None:
    """Fail."""
    raise RuntimeError("boom")


# Fragments of a message: the Autobahn cases send 4 MiB in pieces of 64 bytes.
FRAGMENTS = 128 * 1024


@app.websocket("/", message=16 * MIB, fragments=FRAGMENTS, deflate=True, origins=["*"])
async def repeat(request: Request, ws: WebSocketConnection) -> None:
    """Send each message back."""
    async for message in messages(ws):
        await ws.send_message(message)


if __name__ == "__main__":
    run(app, bind=sys.argv[1:] or "localhost:8080")
