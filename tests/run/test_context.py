"""Invariant 15 on real sockets, where a request may come before it is waited for."""

from __future__ import annotations

import contextvars

import trio

from tests.run.crowds import place
from trioweb import Request, Response, Send

USER: contextvars.ContextVar[str] = contextvars.ContextVar("user", default="nobody")


async def test_x12_nothing_is_seen_of_a_request_whose_writer_still_cleans_up() -> None:
    """Its peer has all of the answer, and asks again; the writer has not returned."""
    asked = trio.Event()

    async def handler(request: Request) -> Response:
        seen = USER.get()
        USER.set(request.path)

        async def write(send: Send) -> None:
            await send(seen.encode().ljust(10))
            with trio.move_on_after(0.2):
                await asked.wait()
                await trio.sleep(0.1)

        return Response(200, {"content-length": "10"}, write)

    bodies: list[bytes] = []
    async with place(handler) as server, await server.connect() as stream:
        for number in range(3):
            await stream.send_all(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number)
            received = b""
            while len(received.partition(b"\r\n\r\n")[2]) < 10:
                received += await stream.receive_some()
            bodies.append(received[-10:].strip())
    assert bodies == [b"nobody"] * 3
