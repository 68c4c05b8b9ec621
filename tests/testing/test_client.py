"""The client: real bytes through the real wire, with no socket and no waiting."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import trio
import trio.testing

import trioweb.testing
from trioweb.app.app import App
from trioweb.message.errors import NotFound, SetupError
from trioweb.message.offload import in_thread, offload, runner
from trioweb.message.request import Request
from trioweb.message.response import Response
from trioweb.run.config import Config
from trioweb.testing import client

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
