"""The smallest server: one function, from a request to a response."""

from __future__ import annotations

import sys

from trioweb import Request, Response, Send, run, stream


async def handler(request: Request) -> Response:
    """Answer every request with a head, two pieces of a body, and its end."""

    async def write(send: Send) -> None:
        await send(b"<h1>Hello, Trio!</h1>\n")
        await send("<p>안녕하세요!</p>\n".encode())

    return stream(write, "text/html; charset=utf-8")


if __name__ == "__main__":
    run(handler, bind=sys.argv[1:] or "localhost:8080")
