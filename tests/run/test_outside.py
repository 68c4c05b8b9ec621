"""What the outside world does to a server: names, clocks, and an optimising Python.

Rows E6, E7 and E10 of the table of faults.
"""

from __future__ import annotations

import ast
import http.client
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trio
import trio.testing

import trioweb
from tests.apps.probe import app
from tests.clients.process import Way, both_ways, by_python, by_trioweb, serving
from trioweb.run.config import Config
from trioweb.testing import client
from trioweb.wire.limits import Limits

PROBE = "tests/apps/probe.py"
YEAR = 365 * 86400  # seconds


def ask(url: str, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    try:
        connection.request(method, path, body)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


# ----------------------------------------------------------------------------- names


async def test_e7_no_name_is_looked_up_while_serving() -> None:
    """By refusals, errors and the log neither."""
    command = by_python(PROBE)
    command[1:2] = ["-m", "tests.apps.nameless"]
    async with serving(command) as server:
        for method, path, status in [
            ("GET", "/", 200),
            ("POST", "/", 200),
            ("GET", "/boom", 500),
            ("BREW", "/", 501),
            ("GET", "/stream/3", 200),
        ]:
            answer = await trio.to_thread.run_sync(ask, server.url, method, path)
            assert answer[0] == status
        assert await server.stop() == 0
        assert b"looked up" not in server.said


# ---------------------------------------------------------------------------- clocks


@contextmanager
def jumping(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """The wall clock, put forward or back by as much as the list says."""
    ahead = [0.0]
    true = time.time
    with monkeypatch.context() as patched:
        patched.setattr(time, "time", lambda: true() + ahead[0])
        yield ahead


JUMPS = pytest.mark.parametrize("jump", [-YEAR, YEAR], ids=["back", "forward"])


@JUMPS
async def test_e6_no_wait_ends_sooner_or_later_when_the_clock_jumps(
    jump: int,
    monkeypatch: pytest.MonkeyPatch,
    autojump_clock: trio.testing.MockClock,
) -> None:
    limits = Limits(head_time=10, idle_time=75)
    config = Config(limits=limits, access_log="off")
    with jumping(monkeypatch) as ahead:
        async with client(app, config=config) as web:
            # A handler's sleep, and the Date of its answer.
            async with trio.open_nursery() as asking:

                async def leap() -> None:
                    await trio.sleep(5)
                    ahead[0] = jump

                asking.start_soon(leap)
                begun = trio.current_time()
                answer = await web.get("/sleep/20")
                assert trio.current_time() - begun == pytest.approx(20, abs=0.1)
            told = parsedate_to_datetime(answer.headers["date"]).timestamp()
            assert told == pytest.approx(time.time(), abs=5)
            # An idle connection, and one with half a head.
            for sent, wait in ((b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 75), (b"GE", 10)):
                ahead[0] = 0
                async with web.connect() as peer:
                    begun = trio.current_time()
                    await peer.send(sent)
                    await trio.sleep(wait / 2)
                    ahead[0] = jump
                    while await peer.receive():
                        pass
                    assert trio.current_time() - begun == pytest.approx(wait, abs=3)


# ------------------------------------------------------------------------ optimising


def test_e10_no_check_of_trioweb_is_an_assert() -> None:
    """`python -O` leaves asserts out."""
    root = Path(trioweb.__file__).parent
    found = [
        f"{path}:{node.lineno}"
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Assert)
    ]
    assert not found


CHUNKED = b"Transfer-Encoding: chunked"
OPTIMISED = [
    ("a greeting", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"200"),
    ("content", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi", b"200"),
    ("no host", b"GET / HTTP/1.1\r\n\r\n", b"400"),
    (
        "two framings",
        b"\r\n".join(
            [b"GET / HTTP/1.1", b"Host: x", b"Content-Length: 0", CHUNKED, b"", b""]
        ),
        b"400",
    ),
    (
        "two lengths",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n",
        b"400",
    ),
    (
        "a malformed chunk",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n",
        b"400",
    ),
    ("a long target", b"GET /%s HTTP/1.1\r\nHost: x\r\n\r\n" % (b"a" * 9000), b"414"),
    ("a method of nobody's", b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n", b"501"),
    ("a failing handler", b"GET /boom HTTP/1.1\r\nHost: x\r\n\r\n", b"500"),
]


@both_ways
async def test_e10_an_optimised_server_answers_and_refuses_as_ever(way: Way) -> None:
    async with serving(way(PROBE), env={"PYTHONOPTIMIZE": "1"}) as server:
        host, _, port = server.url.removeprefix("http://").rpartition(":")
        for name, sent, status in OPTIMISED:
            async with await trio.open_tcp_stream(host.strip("[]"), int(port)) as peer:
                await peer.send_all(sent)
                with trio.fail_after(20):
                    received = await peer.receive_some()
                assert received.split(b" ")[1] == status, name
        assert await server.stop() == 0


def test_e10_the_command_is_understood_by_an_optimised_python() -> None:
    command = [*by_trioweb(PROBE)[:1], "-OO", "-m", "trioweb", "routes", PROBE]
    done = subprocess.run(command, check=True, capture_output=True, timeout=30)
    assert b"/echo" in done.stdout
