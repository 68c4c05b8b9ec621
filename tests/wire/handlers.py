"""Handlers that the tests of the wire have in common."""

from __future__ import annotations

import tempfile
from io import RawIOBase
from pathlib import Path

from trioweb.message.request import Request
from trioweb.message.response import File, Response, Send

G = b"GET / HTTP/1.1\r\nHost: a\r\n"
P = b"POST / HTTP/1.1\r\nHost: a\r\n"
T = P + b"Transfer-Encoding: chunked\r\n\r\n"
GET = G + b"\r\n"
# What follows a message that is refused must never be taken for a request.
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"


class Served:
    """A handler that answers with the request's body, and notes what it was asked."""

    def __init__(self) -> None:
        self.paths: list[str] = []

    async def __call__(self, request: Request) -> Response:
        self.paths.append(request.path)
        return Response(200, body=await request.body())


async def hello(request: Request) -> Response:
    return Response(
        200, {"content-type": "text/plain"}, b"hello " + request.path.encode()
    )


async def counting(request: Request) -> Response:
    """Three pieces, streamed."""

    async def write(send: Send) -> None:
        for piece in (b"one ", b"two ", b"three"):
            await send(piece)

    return Response(200, body=write)


async def echo(request: Request) -> Response:
    """Each piece of the body as it comes."""

    async def write(send: Send) -> None:
        async for piece in request.stream():
            await send(piece)

    return Response(200, body=write)


def opened(content: bytes) -> RawIOBase:
    """An open file, without buffers, that is gone once closed."""
    with tempfile.NamedTemporaryFile(delete=False) as file:
        file.write(content)
    path = Path(file.name)
    try:
        return path.open("rb", buffering=0)
    finally:
        path.unlink()


def file_of(content: bytes, *, offset: int = 0, length: int | None = None) -> File:
    rest = len(content) - offset
    return File(opened(content), offset, rest if length is None else length)


async def probe(request: Request) -> Response:
    """Look at all that a request says, and take its body in the way its path names."""
    match request.path:
        case "/echo":
            return await echo(request)
        case "/count":
            return await counting(request)
        case "/text":
            return Response(200, body=(await request.text()).encode())
    str(request.query), str(request.cookies), request.url
    return await hello(request)
