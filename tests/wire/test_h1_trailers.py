"""Trailers: fields after the content, both ways (RFC 9110 section 6.5, F10)."""

from __future__ import annotations

import pytest
import trio.testing

from tests.wire.handlers import GET, T
from tests.wire.talking import answer, say
from trioweb.message.handler import Handler
from trioweb.message.request import Request
from trioweb.message.response import Response, Send
from trioweb.rules.headers import Headers

CLOSE = GET.replace(b"Host: a", b"Host: a\r\nConnection: close")


async def telling(request: Request) -> Response:
    before = dict(request.trailers)
    body = await request.body()
    assert "digest" not in request.headers
    return Response(200, body=f"{before} {body.decode()} {request.trailers}".encode())


def trailing(*fields: tuple[str, str], **also: str) -> Handler:
    async def handler(request: Request) -> Response:
        async def write(send: Send) -> None:
            await send(b"content")
            response.trailers = Headers(fields)

        headers = {name.replace("_", "-"): value for name, value in also.items()}
        response = Response(200, headers, write)
        return response

    return handler


async def test_f10_trailers_are_seen_apart_from_the_fields_before(
    autojump_clock: trio.testing.MockClock,
) -> None:
    talk = await say(
        telling,
        T.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"),
        b"1\r\na\r\n0\r\nDigest: x\r\nOther: y\r\n\r\n",
    )
    said = answer(talk).body.decode()
    assert said.startswith("{} a ")
    assert "digest" in said
    assert "other" in said


async def test_f10_trailers_of_one_request_are_not_seen_in_the_next(
    autojump_clock: trio.testing.MockClock,
) -> None:
    seen: list[list[str]] = []

    async def handler(request: Request) -> Response:
        await request.body()
        seen.append(list(request.trailers))
        return Response(204)

    body = b"0\r\nDigest: x\r\n\r\n"
    await say(handler, T + body + CLOSE)
    assert seen == [["digest"], []]


@pytest.mark.parametrize(
    "name", ["Content-Length", "Authorization", "Set-Cookie", "Host", "Cookie"]
)
async def test_f10_a_field_that_comes_too_late_is_refused(
    name: str, autojump_clock: trio.testing.MockClock
) -> None:
    talk = await say(telling, T + b"0\r\n" + name.encode() + b": 1\r\n\r\n")
    assert answer(talk).status == 400


async def test_a_writer_may_set_trailers(
    autojump_clock: trio.testing.MockClock,
) -> None:
    talk = await say(trailing(("digest", "abc")), CLOSE)
    assert talk.received.endswith(b"0\r\ndigest: abc\r\n\r\n")
    assert answer(talk).body == b"content"


async def test_a_writer_that_writes_nothing_may_set_them_too(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def handler(request: Request) -> Response:
        async def write(_: Send) -> None:
            response.trailers = Headers([("digest", "x")])

        response = Response(200, body=write)
        return response

    talk = await say(handler, GET + CLOSE)
    assert talk.received.count(b"\r\n\r\n0\r\ndigest: x\r\n\r\n") == 2


@pytest.mark.parametrize(
    ("request_", "also"),
    [
        (b"GET / HTTP/1.0\r\n\r\n", {}),
        (CLOSE, {"content_length": "7"}),
        (CLOSE.replace(b"GET", b"HEAD"), {}),
    ],
    ids=["HTTP/1.0", "a length", "HEAD"],
)
async def test_what_has_no_place_for_trailers_goes_without(
    request_: bytes, also: dict[str, str], autojump_clock: trio.testing.MockClock
) -> None:
    handler = trailing(("digest", "abc"), **also)
    talk = await say(handler, request_)
    assert b"digest" not in talk.received
    assert [record.ending.value for record in talk.records] == ["complete"]


async def test_a_trailer_that_is_none_breaks_the_response_off(
    autojump_clock: trio.testing.MockClock,
) -> None:
    talk = await say(trailing(("set-cookie", "a=1")), CLOSE)
    assert not any(b"a=1" in line for line in talk.received.splitlines())
    assert [record.ending.value for record in talk.records] == ["failed"]
    (record,) = talk.logs
    assert "cannot be a trailer" in str(record.exc_info)
