"""Parting on real sockets: resets at any byte, refusals that arrive, idle ends."""

from __future__ import annotations

import random

import trio

from tests.run.crowds import LAST, Place, place, reset, rest
from trioweb import App, Request, Response, Send
from trioweb.wire.limits import Limits

UPLOAD = (
    b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
)

app = App()


@app.get("/")
async def index(request: Request) -> str:
    return "here"


@app.post("/echo")
async def echo(request: Request) -> Response:
    async def write(send: Send) -> None:
        async for piece in request.stream():
            await send(piece)

    return Response(200, {"x-filler": "a" * 100}, write)


async def test_s10_a_reset_after_any_byte_is_no_news() -> None:
    """The whole exchange is some 300 bytes long, and cut after each of them."""
    async with place(app) as server:
        async with await server.connect() as stream:
            await stream.send_all(UPLOAD)
            answer = await some(stream, b"0\r\n\r\n")
        assert len(UPLOAD) + len(answer) > 300
        for sent in range(len(UPLOAD)):
            stream = await server.connect()
            await stream.send_all(UPLOAD[:sent])
            reset(stream)
        for received in range(1, len(answer)):
            stream = await server.connect()
            await stream.send_all(UPLOAD)
            while received > 0:
                received -= len(await stream.receive_some(received))  # noqa: PLW2901  # what is left of it
            reset(stream)
        assert (await server.asked()).endswith(b"here")
    assert server.logs == []


async def some(stream: trio.SocketStream, end: bytes) -> bytes:
    received = b""
    while not received.endswith(end):
        received += await stream.receive_some()
    return received


async def test_s11_a_413_is_read_by_whoever_sends_a_megabyte_first() -> None:
    """A hundred times of a hundred."""
    head = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n"
    got: list[bytes] = []

    async def upload(server: Place) -> None:
        async with await server.connect() as stream:
            await stream.send_all(head)
            await stream.send_all(bytes(1 << 20))
            await stream.send_eof()
            got.append(await rest(stream))

    async with place(app) as server:
        for _ in range(10):
            async with trio.open_nursery() as uploads:
                for _ in range(10):
                    uploads.start_soon(upload, server)
    assert len(got) == 100
    assert {answer.split(b" ")[1] for answer in got} == {b"413"}
    assert all(b"\r\nconnection: close\r\n" in answer.lower() for answer in got)
    assert server.logs == []


IDLE = 0.05  # seconds that a connection may be idle in the next test


async def test_s12_a_request_that_meets_the_idle_end_has_no_byte_of_an_answer() -> None:
    """So that it can be sent again by whoever sent it."""
    waits = random.Random(1)
    whole: list[float] = []
    none: list[float] = []

    async def asking(server: Place, wait: float) -> None:
        async with await server.connect() as stream:
            await stream.send_all(LAST.replace(b"Connection: close\r\n", b""))
            await some(stream, b"here")
            await trio.sleep(wait)
            received = b""
            try:
                await stream.send_all(LAST)
                received = await rest(stream)
            except trio.BrokenResourceError:
                assert received == b""
            assert received == b"" or received.endswith(b"here")
            (whole if received else none).append(wait)

    async with place(app, Limits(idle_time=IDLE)) as server:
        for _ in range(10):
            near = [waits.gauss(IDLE, IDLE / 20) for _ in range(30)]
            async with trio.open_nursery() as many:
                for wait in [0.0, *near, IDLE * 3]:
                    many.start_soon(asking, server, max(0.0, wait))
    # Both ends of the race are seen, and no third.
    assert len(whole) + len(none) == 320
    assert whole
    assert none
    assert server.logs == []
