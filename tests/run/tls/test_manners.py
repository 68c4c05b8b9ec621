"""Manners: plain HTTP is sent on, and browsers are told to stay."""

from __future__ import annotations

import pytest
import trio

from tests.run.tls.meeting import SERVER, place, rest
from trioweb import App, MemoryStore, Request, Response, sessions
from trioweb.run.tls.config import TLS
from trioweb.run.tls.manners import reached

REDIRECTING = TLS(SERVER.cert, SERVER.key, redirect=("127.0.0.1:0",))


async def handler(request: Request) -> Response:
    return Response(200, body=request.scheme.encode())


async def plainly(port: int, request: str) -> str:
    async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
        await stream.send_all(request.encode())
        return (await rest(stream)).decode()


ASKED = [
    (
        "GET /a%20b?c=%2F HTTP/1.1",
        "Example.com:8080",
        "https://example.com:{}/a%20b?c=%2F",
    ),
    ("GET / HTTP/1.1", "[::1]", "https://[::1]:{}/"),
    (
        "POST //evil.example/ HTTP/1.1",
        "a.example",
        "https://a.example:{}//evil.example/",
    ),
    ("OPTIONS * HTTP/1.1", "a.example", "https://a.example:{}/"),
    ("GET http://b.example/c HTTP/1.1", "b.example", "https://b.example:{}/c"),
]


@pytest.mark.parametrize(("line", "host", "location"), ASKED)
async def test_plain_http_is_sent_on_to_the_same_by_https(
    line: str, host: str, location: str
) -> None:
    async with place(handler, REDIRECTING) as found:
        request = f"{line}\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        answer = await plainly(found.redirect, request)
        assert answer.startswith("HTTP/1.1 308 Permanent Redirect\r\n")
        assert f"\r\nlocation: {location.format(found.port)}\r\n" in answer
        assert "strict-transport-security" not in answer


async def test_who_names_no_host_cannot_be_sent_anywhere() -> None:
    async with place(handler, REDIRECTING) as found:
        answer = await plainly(found.redirect, "GET / HTTP/1.0\r\n\r\n")
        assert answer.startswith("HTTP/1.1 400 ")


async def test_a_port_outside_a_container_may_be_another() -> None:
    tls = TLS(SERVER.cert, SERVER.key, redirect=("127.0.0.1:0",), port=443)
    async with place(handler, tls) as found:
        request = "GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n"
        answer = await plainly(found.redirect, request)
        assert "\r\nlocation: https://a.example/\r\n" in answer


STAYS = [
    (REDIRECTING, "max-age=31536000"),
    (TLS(SERVER.cert, SERVER.key), None),
    (TLS(SERVER.cert, SERVER.key, hsts=0), "max-age=0"),
    (TLS(SERVER.cert, SERVER.key, hsts=60), "max-age=60"),
]


@pytest.mark.parametrize(("tls", "value"), STAYS)
async def test_browsers_are_told_to_stay_where_there_is_a_redirect(
    tls: TLS, value: str | None
) -> None:
    async with place(handler, tls) as found:
        answer = (await found.asked()).decode()
        assert answer.endswith("\r\n\r\nhttps")
        assert ("strict-transport-security" in answer) == (value is not None)
        assert value is None or f"strict-transport-security: {value}\r\n" in answer


async def test_what_the_application_says_counts() -> None:
    async def own(request: Request) -> Response:
        fields = {"strict-transport-security": "max-age=1; includeSubDomains"}
        return Response(200, headers=fields)

    async with place(own, REDIRECTING) as found:
        answer = (await found.asked()).decode()
        assert answer.count("strict-transport-security") == 1
        assert "max-age=1; includeSubDomains" in answer


async def test_c4_a_session_cookie_is_secure_and_bound_to_its_host_by_itself() -> None:
    app = App()
    app.use(sessions(MemoryStore()))

    @app.get("/")
    async def visit(request: Request) -> str:
        request.session["seen"] = True
        return "seen"

    async with place(app) as found:
        answer = (await found.asked()).decode()
        (cookie,) = [
            line for line in answer.split("\r\n") if line.startswith("set-cookie: ")
        ]
        assert cookie.startswith("set-cookie: __Host-")
        assert "; Secure" in cookie
        assert "; HttpOnly" in cookie
        assert "Domain" not in cookie


def test_the_port_is_that_of_the_first_address_by_https() -> None:
    urls = ["https+unix://%2Frun%2Fa", "https://127.0.0.1:8443", "http://127.0.0.1:80"]
    assert reached(TLS(), urls).port == 8443
    assert reached(TLS(), []).port is None
    assert reached(TLS(port=443), urls).port == 443
