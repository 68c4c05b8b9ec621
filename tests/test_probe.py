"""The contract of tests/apps/probe.py, which tests from outside rely on."""

from __future__ import annotations

import logging

import pytest
import trio.testing

from tests.apps.probe import app
from tests.clients.process import Way, both_ways, curl, serving
from tests.needs import needs
from trioweb.testing import client

PATHS = ["/", "/any", "/any/deeper/", "/한글", "/a%2Fb", "/echoes", "/stream/many"]


@pytest.mark.parametrize("path", PATHS)
async def test_get_and_head_of_any_path(path: str) -> None:
    async with client(app) as web:
        for method in ("GET", "HEAD"):
            answer = await web.request(method, path)
            assert answer.status_code == 200
            assert answer.headers["content-type"] == "text/plain; charset=utf-8"
            assert answer.headers["content-length"] == "24"
            assert len(answer.content) == (24 if method == "GET" else 0)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_a_body_comes_back_from_any_path(method: str, path: str) -> None:
    async with client(app) as web:
        for body in (b"", "한글\0".encode(), bytes(70_000)):
            answer = await web.request(method, path, content=body)
            assert (answer.status_code, answer.content) == (200, body)
            assert answer.headers["content-length"] == str(len(body))


async def test_a_chunked_body_comes_back() -> None:
    async with client(app) as web, web.connect() as peer:
        await peer.begin("POST", "/")
        for piece in (b"one ", b"two"):
            await peer.write(piece)
        await peer.end()
        assert await (await peer.response()).body() == b"one two"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
async def test_echo_answers_the_fields_received_in_order(method: str) -> None:
    async with client(app) as web, web.connect() as peer:
        fields = [("host", "test"), ("x-one", "1"), ("x-two", ""), ("x-one", "2")]
        answer = await peer.request(method, "/echo", headers=fields)
        lines = (await answer.body()).decode().splitlines()
        assert [line for line in lines if "length" not in line] == [
            "host: test",
            "x-one: 1",
            "x-two: ",
            "x-one: 2",
        ]


async def test_cookie_answers_the_cookies_received_in_order() -> None:
    async with client(app) as web:
        answer = await web.get("/cookie", headers={"cookie": 'a=1; b="two"; a=3'})
        assert answer.text == 'a=1\nb="two"\na=3\n'


async def test_big_is_4_mib_of_known_length() -> None:
    async with client(app) as web:
        answer = await web.get("/big")
        assert answer.headers["content-length"] == str(4 << 20)
        assert len(answer.content) == 4 << 20


@pytest.mark.parametrize("n", [0, 1, 100])
async def test_stream_is_chunked_pieces_of_1_kib(n: int) -> None:
    async with client(app) as web:
        answer = await web.get(f"/stream/{n}")
        assert answer.headers["transfer-encoding"] == "chunked"
        assert len(answer.content) == n * 1024


async def test_sleep_answers_after_its_time(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with client(app) as web:
        begun = trio.current_time()
        assert (await web.get("/sleep/90.5")).status_code == 200
        assert trio.current_time() - begun == pytest.approx(90.5)


async def test_boom_is_a_500_and_the_next_request_is_answered(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with client(app) as web:
        with caplog.at_level(logging.ERROR, "trioweb.error"):
            assert (await web.get("/boom")).status_code == 500
        assert len(caplog.records) == 1
        assert (await web.get("/")).status_code == 200


OTHERS = [("OPTIONS", 204), ("TRACE", 405), ("PROPFIND", 405), ("BREW", 501)]


@pytest.mark.parametrize(("method", "status"), OTHERS)
async def test_other_methods_are_answered_as_a_server_should(
    method: str, status: int
) -> None:
    async with client(app) as web:
        answer = await web.request(method, "/any")
        assert answer.status_code == status
        if status != 501:
            allow = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"
            assert answer.headers["allow"] == allow


@needs("curl")
@both_ways
async def test_it_is_a_program(way: Way) -> None:
    async with serving(way("tests/apps/probe.py")) as server:
        assert (await curl(server.url)).body == "Hello from trioweb probe"
        assert (await curl("-d", "안녕", f"{server.url}/여기")).body == "안녕"
        assert await server.stop() == 0
