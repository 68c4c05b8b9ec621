"""The client: real bytes through the real wire, with no socket and no waiting."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Self

import httpx2
import pytest
import trio
import trio.testing

import trioweb.testing
from trioweb.app.app import App
from trioweb.message.errors import NotFound, SetupError
from trioweb.message.offload import in_thread, offload, runner
from trioweb.message.request import Request
from trioweb.message.response import Response, Send
from trioweb.run.config import Config
from trioweb.testing import BadResponse, client

Clock = trio.testing.MockClock


async def echo(request: Request) -> Response:
    body = await request.body()
    line = f"{request.method} {request.scheme} {request.path} "
    return Response(
        headers={"x-host": request.headers["host"]}, body=line.encode() + body
    )


async def test_a_request_and_its_response() -> None:
    async with client(echo) as web:
        response = await web.post("/a b", content="é")
        assert response.status_code == 200
        assert response.text == "POST http /a b é"
        assert response.headers["x-host"] == "test"
        assert response.http_version == "HTTP/1.1"


async def test_an_https_base_url_is_a_secure_connection() -> None:
    async with client(echo, base_url="https://example.org:444/api/") as web:
        response = await web.get("things")
        assert response.text == "GET https /api/things "
        assert response.headers["x-host"] == "example.org:444"
        async with web.connect() as peer:
            raw = await peer.request("GET", "/")
            assert await raw.body() == b"GET https / "
            assert raw.headers["x-host"] == "example.org:444"


async def test_one_client_speaks_to_both_schemes() -> None:
    async with client(echo) as web:
        assert (await web.get("https://other/")).text == "GET https / "
        assert (await web.get("/")).text == "GET http / "


async def test_cookies_are_kept_and_redirects_are_not_followed() -> None:
    async def handler(request: Request) -> Response:
        if request.path == "/in":
            response = Response(302, {"location": "/"})
            response.set_cookie("who", "me")
            return response
        return Response(body=request.headers.get("cookie", "").encode())

    async with client(handler) as web:
        assert (await web.get("/in")).status_code == 302
        assert (await web.get("/")).text == "who=me"
    async with client(
        handler, follow_redirects=True, cookies={"a": "1"}, headers={"x": "y"}
    ) as web:
        response = await web.get("/in")
        assert (response.status_code, response.text) == (200, "a=1; who=me")
        assert response.request.headers["x"] == "y"


async def test_connections_are_kept_alive_and_opened_as_needed() -> None:
    peers: set[int] = set()

    async def handler(request: Request) -> Response:
        peers.add(id(trio.lowlevel.current_task()))
        await trio.sleep(0.01)
        return Response()

    async with client(handler) as web:
        await web.get("/")
        await web.get("/")
        assert len(peers) == 1
        async with trio.open_nursery() as requests:
            for _ in range(20):
                requests.start_soon(web.get, "/")
    assert len(peers) == 20


async def test_a_handlers_failure_is_a_500_and_no_exception() -> None:
    async def handler(request: Request) -> Response:
        raise RuntimeError("inside")

    async with client(handler) as web:
        response = await web.get("/")
        assert response.status_code == 500
        assert "inside" not in response.text


async def test_a_refusal_is_its_status() -> None:
    async def handler(request: Request) -> Response:
        raise NotFound("no such thing")

    async with client(handler) as web:
        assert (await web.get("/")).status_code == 404


async def test_what_the_block_raises_comes_out_as_it_is() -> None:
    with pytest.raises(AssertionError, match=r"^mine$"):
        async with client(echo):
            raise AssertionError("mine")


async def test_a_test_that_skips_itself_inside_is_skipped() -> None:
    with pytest.raises(pytest.skip.Exception):
        async with client(echo):
            pytest.skip("not here")


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
    """Pieces of a request's body, five seconds apart."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if not self._pieces:
            raise StopAsyncIteration
        await trio.sleep(5)
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
        (b"one", 5),
        (b"two", 10),
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


# -------------------------------------------------------------------- around the block


async def test_nothing_is_left_running() -> None:
    before = trio.lowlevel.current_statistics().tasks_living
    async with client(echo) as web:
        await web.get("/")
        web.connect()
    assert trio.lowlevel.current_statistics().tasks_living == before


async def test_leaving_stops_gracefully(autojump_clock: Clock) -> None:
    async def handler(request: Request) -> Response:
        request.exchange.on_disconnect("finish")
        await trio.sleep(7)
        finished.append(trio.current_time())
        return Response()

    finished: list[float] = []
    async with client(handler) as web:
        start = trio.current_time()
        peer = web.connect()
        await peer.begin("GET", "/", headers={"content-length": "0"})
        await peer.end()
        await trio.testing.wait_all_tasks_blocked()
    assert finished == [start + 7]


async def test_the_config_bounds_the_stop(autojump_clock: Clock) -> None:
    async def handler(request: Request) -> Response:
        request.exchange.on_disconnect("finish")
        await trio.sleep(3600)
        return Response()

    async with client(handler, config=Config(grace=2, access_log="off")) as web:
        start = trio.current_time()
        peer = web.connect()
        await peer.begin("GET", "/", headers={"content-length": "0"})
        await peer.end()
        await trio.testing.wait_all_tasks_blocked()
    assert trio.current_time() - start == 2


async def test_file_work_is_done_here_and_only_as_long_as_the_block_lasts() -> None:
    async def handler(request: Request) -> Response:
        with trio.CancelScope(shield=True):
            name = await offload(trio.lowlevel.in_trio_task)
        return Response(body=str(name).encode())

    assert runner.get() is in_thread
    async with client(handler) as web:
        assert (await web.get("/")).text == "True"
    assert runner.get() is in_thread


async def test_lifespans_are_entered_and_left() -> None:
    app = App()
    steps: list[str] = []

    @app.lifespan
    async def life(site: object) -> AsyncIterator[None]:
        steps.append("in")
        yield
        steps.append("out")

    async with client(app) as web:
        steps.append(str((await web.get("/nowhere")).status_code))
    assert steps == ["in", "404", "out"]


async def test_what_is_put_together_wrongly_is_said_at_once() -> None:
    app = App()
    app.mount("/", app)
    with pytest.raises(SetupError, match="mounted in itself"):
        async with client(app):
            pass


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = trioweb.testing.nothing  # type: ignore[attr-defined]  # that is the point
