"""What a cookie says is told to nobody: neither in an answer nor in the log."""

from __future__ import annotations

import logging

import pytest
import trio

from tests.wire.test_refused import CASES
from trioweb import App, Request, sessions
from trioweb.testing import client

SECRET = "A" * 42 + "E"  # as an identity is spelled
COOKIE = f"Cookie: sid={SECRET}\r\nAccept: text/html\r\n".encode()

METHODS = ("GET", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
PATHS = ("/", "/broken", "/refused", "/none", "/%2e%2e/%00", "/?q=%ff")


def application() -> App:
    app = App()
    app.use(sessions())

    @app.get("/")
    async def home(request: Request) -> str:
        return str(request.session.user)

    @app.get("/broken")
    async def broken(request: Request) -> str:
        raise ValueError("broken")

    @app.get("/refused")
    async def refused(request: Request) -> str:
        return request.query["name"]

    return app


async def test_c6_no_answer_repeats_a_cookie_and_no_log_has_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    asked = [
        f"{method} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n".encode()
        + COOKIE
        + b"\r\n"
        for method in METHODS
        for path in PATHS
    ]
    for _, data, _ in CASES:
        line, _, rest = data.partition(b"\r\n")
        asked.append(line + b"\r\n" + COOKIE + rest)
    async with client(application()) as web:
        for data in asked:
            async with web.connect() as peer:
                await peer.send(data)
                await peer.send_eof()
                with trio.fail_after(5):
                    said = await peer.receive_rest()
            assert b"HTTP/1.1 " in said
            assert SECRET.encode() not in said, data
    assert "broken" in caplog.text
    assert SECRET not in caplog.text
