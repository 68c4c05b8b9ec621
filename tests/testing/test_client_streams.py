"""The client while it streams, leaves or waits: with no socket, and no time lost."""

from __future__ import annotations

from contextlib import aclosing
from typing import Self

import httpx2
import pytest
import trio
import trio.testing

from trioweb.message.request import Request
from trioweb.message.response import Response, Send
from trioweb.testing import BadResponse, client

Clock = trio.testing.MockClock


async def echo(request: Request) -> Response:
    return Response(body=await request.body())


# ------------------------------------------------------------------------- streaming


async def test_a_response_is_streamed_while_it_is_written(
    autojump_clock: Clock,
) -> None:
    async def handler(request: Request) -> Response:
        async def write(send: Send) -> None:
            for number in range(3):
                await send(b"%d" % number)
                await trio.sleep(10)

        return Response(body=write)

    start = trio.current_time()
    async with client(handler) as web, web.stream("GET", "/") as response:
        pieces = response.aiter_raw()
        got = [(piece, trio.current_time() - start) async for piece in pieces]
    assert got == [(b"0", 0), (b"1", 10), (b"2", 20)]


class Slowly:
    """Pieces of a request's body, two seconds apart."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if not self._pieces:
            raise StopAsyncIteration
        await trio.sleep(2)
        return self._pieces.pop(0)


async def test_a_request_is_streamed_while_it_is_read(autojump_clock: Clock) -> None:
    seen: list[tuple[bytes, float]] = []

    async def handler(request: Request) -> Response:
        arriving = request.stream()
        seen.extend([(piece, trio.current_time()) async for piece in arriving])
        return Response()

    start = trio.current_time()
    async with client(handler) as web:
        await web.post("/", content=Slowly([b"one", b"two"]))
    assert [(piece, when - start) for piece, when in seen] == [
        (b"one", 2),
        (b"two", 4),
    ]


async def test_a_raw_peer_streams_both_ways_at_once() -> None:
    async def handler(request: Request) -> Response:
        async def write(send: Send) -> None:
            async for piece in request.stream():
                await send(piece.upper())

        return Response(body=write)

    async with client(handler) as web, web.connect() as peer:
        await peer.begin("POST", "/")
        await peer.write(b"one")
        response = await peer.response()
        assert await anext(response) == b"ONE"
        await peer.write(b"two")
        assert await anext(response) == b"TWO"
        await peer.end()
        assert await response.body() == b""


async def test_leaving_a_response_early_leaves_no_warning() -> None:
    async def handler(request: Request) -> Response:
        async def write(send: Send) -> None:
            while True:
                await send(bytes(1000))

        return Response(body=write)

    async with (
        client(handler) as web,
        web.stream("GET", "/") as response,
        aclosing(response.aiter_raw()) as pieces,
    ):
        assert await anext(pieces)


# ----------------------------------------------------------------- leaving and waiting


async def test_an_abort_resets_every_connection_at_once(autojump_clock: Clock) -> None:
    reached = trio.Event()
    ended: list[float] = []

    async def handler(request: Request) -> Response:
        reached.set()
        try:
            await trio.sleep(3600)
        finally:
            ended.append(trio.current_time())
        return Response()

    async with client(handler) as web:

        async def ask() -> None:
            with pytest.raises(httpx2.ReadError):
                await web.get("/")

        async with trio.open_nursery() as asking:
            asking.start_soon(ask)
            await reached.wait()
            start = trio.current_time()
            web.abort()
        await trio.testing.wait_all_tasks_blocked()
        assert ended == [start]


async def test_after_an_abort_the_client_connects_anew() -> None:
    async with client(echo) as web:
        await web.get("/")
        web.abort()
        assert (await web.get("/")).status_code == 200


async def test_a_raw_peer_is_aborted_with_its_client() -> None:
    async with client(echo) as web, web.connect() as peer:
        web.abort()
        with pytest.raises(trio.ClosedResourceError):
            await peer.send(b"GET")


async def test_a_timeout_runs_on_the_virtual_clock(autojump_clock: Clock) -> None:
    async def handler(request: Request) -> Response:
        await trio.sleep(3600)
        return Response()

    async with client(handler, timeout=30) as web:
        start = trio.current_time()
        with pytest.raises(httpx2.ReadTimeout):
            await web.get("/")
        assert trio.current_time() - start == 30


async def test_without_a_timeout_a_slow_handler_is_waited_for(
    autojump_clock: Clock,
) -> None:
    async def handler(request: Request) -> Response:
        await trio.sleep(50)
        return Response(204)

    async with client(handler) as web:
        assert (await web.get("/")).status_code == 204


async def test_a_writer_that_is_not_read_from_times_out(autojump_clock: Clock) -> None:
    async def handler(request: Request) -> Response:
        await trio.sleep(3600)
        return Response()

    # The request's body is larger than what the connection holds, and nobody reads it.
    async with client(handler, timeout=5) as web:
        with pytest.raises(httpx2.WriteTimeout):
            await web.post("/", content=bytes(1 << 20))


async def test_a_cut_response_never_looks_complete() -> None:
    async def handler(request: Request) -> Response:
        async def write(send: Send) -> None:
            await send(b"half")
            raise RuntimeError("broken")

        return Response(body=write)

    async with client(handler) as web:
        with pytest.raises((httpx2.ReadError, httpx2.RemoteProtocolError)):
            await web.get("/")
        async with web.connect() as peer:
            with pytest.raises((BadResponse, trio.BrokenResourceError)):
                await (await peer.request("GET", "/")).body()


async def test_a_raw_peer_goes_through_a_tunnel() -> None:
    async def talk(stream: trio.abc.Stream) -> None:
        while data := await stream.receive_some():
            await stream.send_all(bytes(data).upper())

    async def handler(request: Request) -> Response:
        return Response(tunnel=talk)

    async with client(handler) as web, web.connect() as peer:
        fields = {"connection": "upgrade", "upgrade": "shout"}
        response = await peer.request("GET", "/", headers=fields)
        assert (response.status, response.headers["upgrade"]) == (101, "shout")
        await peer.send(b"hello")
        assert await peer.receive() == b"HELLO"
        await peer.send_eof()
        assert await peer.receive_rest() == b""


async def test_a_malformed_request_is_answered() -> None:
    async with client(echo) as web, web.connect() as peer:
        await peer.send(b"NO HTTP AT ALL\r\n\r\n")
        response = await peer.response()
        assert response.status == 400
        await response.body()
        assert await peer.receive_rest() == b""
