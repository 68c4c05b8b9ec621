"""The lane: nobody can tell from an answer whether h11 has written it."""

from __future__ import annotations

import re

import pytest
import trio.testing
from hypothesis import given

from tests.wire.agreeing import DATE, responses, writes_alike
from tests.wire.handlers import GET
from tests.wire.talking import talking
from trioweb.message.handler import Handler
from trioweb.message.request import Request
from trioweb.message.response import Response, Send
from trioweb.rules.headers import Headers
from trioweb.wire.lane import whole
from trioweb.wire.limits import RESPONSE_HEAD

A_DATE = re.compile(rb"date: [^\r]*")


POST = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc"
CHUNKED = (
    b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n"
    b"0\r\n\r\n"
)
LAST = b"GET /last HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"


@given(responses())
def test_an_answer_is_what_h11_would_write(response: Response) -> None:
    writes_alike(response)


async def _write(send: Send) -> None:
    await send(b"a")


def _trailing() -> Response:
    response = Response(200, (), b"a")
    response.trailers = Headers({"x": "y"})
    return response


def _raw(name: bytes, value: bytes) -> Response:
    return Response(200, Headers.from_wire([(name, value)]), b"a")


H11S = {
    "204": Response(204),
    "304": Response(304),
    "a writer": Response(200, (), _write),
    "trailers": _trailing(),
    "a length of its own": Response(200, {"content-length": "0"}),
    "a date of its own": Response(200, {"date": "today"}),
    "connection": Response(200, {"connection": "close"}),
    "a CR": _raw(b"a", b"b\r\nc: d"),
    "a LF": _raw(b"a", b"b\nc: d"),
    "a NUL": _raw(b"a", b"\0"),
    "too large": _raw(b"a", b"b" * RESPONSE_HEAD),
    "another status": Response(399),
}


@pytest.mark.parametrize("response", H11S.values(), ids=H11S)
def test_any_other_answer_is_h11s(response: Response) -> None:
    assert whole(response, DATE, bare=False, last=b"") is None


async def hello(request: Request) -> Response:
    return Response(200, {"x-path": request.path}, b"hello")


async def echo(request: Request) -> Response:
    return Response(200, (), await request.body())


async def unread(_: Request) -> Response:
    return Response(200, (), b"no")


async def streamed(request: Request) -> Response:
    async def write(send: Send) -> None:
        async for piece in request.stream():
            await send(piece)
        await send(b".")

    return Response(200, (), write)


async def half(request: Request) -> Response:
    """Read a piece before the answer, and the others while it is written."""
    first = await request.exchange.receive()

    async def write(send: Send) -> None:
        await send(first)
        while piece := await request.exchange.receive():
            await send(piece)

    return Response(200, (), write)


async def hints(request: Request) -> Response:
    await request.inform(103, {"link": "</a>"})
    return Response(200, (), await request.body())


async def failing(_: Request) -> Response:
    raise RuntimeError


TALKS = {
    "one": (hello, [GET, LAST]),
    "pipelined": (hello, [GET + GET + LAST]),
    "head": (hello, [GET.replace(b"GET", b"HEAD") + GET, LAST]),
    "content": (echo, [POST, POST[:-2], b"bc", LAST]),
    "content with more behind": (echo, [POST + CHUNKED + POST + GET + LAST]),
    "unread": (unread, [POST + GET, POST[:-1], b"c", LAST]),
    "streamed": (streamed, [POST + GET + POST[:-3], b"a", b"b", b"c" + LAST]),
    "half": (half, [POST + POST[:-2], b"b", b"c", POST + LAST]),
    "hints": (hints, [GET + POST + POST[:-1], b"c", LAST]),
    "refused": (hello, [GET + b"GET  / HTTP/1.1\r\n\r\n"]),
    "failing": (failing, [GET]),
    "not whole": (hello, [GET[:-2], b"\r\n", b"\r\n" + GET, LAST]),
}


@pytest.mark.parametrize(("handler", "said"), TALKS.values(), ids=TALKS)
async def test_a_talk_is_the_same_with_the_lane_and_without(
    handler: Handler, said: list[bytes], autojump_clock: trio.testing.MockClock
) -> None:
    heard = []
    for lane in (True, False):
        async with talking(handler, lane=lane) as talk:
            await talk.send(*said)
            await talk.farewell()
        told = [
            (each.status, each.received, each.sent, each.ending)
            for each in talk.records
        ]
        heard.append((A_DATE.sub(b"date: -", talk.received), talk.end, told))
    assert heard[0] == heard[1]


async def test_a_talk_is_the_same_however_it_is_split(
    autojump_clock: trio.testing.MockClock,
) -> None:
    said = POST + GET + CHUNKED + POST + LAST
    heard = set()
    for at in range(len(said)):
        async with talking(echo) as talk:
            await talk.send(said[:at], said[at:])
            await talk.farewell()
        heard.add(A_DATE.sub(b"date: -", talk.received))
    assert len(heard) == 1
