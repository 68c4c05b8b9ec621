"""HTTP/1.1: which connections are kept, and the order of answers on them."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from tests.wire.handlers import GET, SMUGGLED, G, P, Served, counting, echo, hello
from tests.wire.talking import End, answer, answers, say, splits, talking
from trioweb.message.request import Request
from trioweb.message.response import Response
from trioweb.wire.limits import READ_SIZE, Limits

ONE = b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
TWO = b"POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
THREE = (
    b"POST /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"2;x=y\r\nde\r\n1\r\nf\r\n0\r\nX-Sum: 3\r\n\r\n"
)


async def test_requests_are_answered_in_order_however_they_are_split(
    autojump_clock: trio.testing.MockClock,
) -> None:
    for pieces in splits(ONE + TWO + THREE):
        served = Served()
        talk = await say(served, *pieces)
        assert served.paths == ["/1", "/2", "/3"]
        assert [got.body for got in answers(talk)] == [b"", b"abc", b"def"]
        assert talk.end is End.FIN


@pytest.mark.parametrize(
    ("head", "kept"),
    [
        (GET, True),
        (b"\r\n" + GET, True),
        (G + b"Connection: keep-alive\r\n\r\n", True),
        (G + b"Connection: close\r\n\r\n", False),
        (G + b"Connection: Close, X\r\n\r\n", False),
        (G + b"Connection: close, keep-alive\r\n\r\n", False),
        (G + b"Connection: host\r\n\r\n", True),
        (b"GET / HTTP/1.0\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", False),
    ],
)
async def test_9112_9_3_who_keeps_the_connection(
    head: bytes, kept: bool, autojump_clock: trio.testing.MockClock
) -> None:
    for pieces in splits(head):
        talk = await say(hello, *pieces[:-1], pieces[-1] + ONE)
        first, *others = answers(talk)
        assert (first.status, first.body) == (200, b"hello /")
        assert (first.headers.get("connection") == "close") == (not kept)
        assert [other.body for other in others] == [b"hello /1"] * kept


async def test_http_1_0_streams_until_the_end(
    autojump_clock: trio.testing.MockClock,
) -> None:
    talk = await say(counting, b"GET / HTTP/1.0\r\n\r\n")
    got = answer(talk)
    assert (got.body, talk.end) == (b"one two three", End.FIN)
    assert not {"transfer-encoding", "content-length"} & set(got.headers)
    assert got.headers["connection"] == "close"


async def test_http_1_1_streams_in_chunks_both_ways(
    autojump_clock: trio.testing.MockClock,
) -> None:
    talk = await say(echo, THREE + ONE)
    first, second = answers(talk)
    assert (first.headers["transfer-encoding"], first.body) == ("chunked", b"def")
    assert (second.body, second.complete) == (b"", True)


@pytest.mark.parametrize("handler", [hello, counting])
async def test_a_head_has_the_fields_of_the_get_and_no_content(
    handler: object, autojump_clock: trio.testing.MockClock
) -> None:
    assert callable(handler)
    head = GET.replace(b"GET", b"HEAD")
    talk = await say(handler, head + head + GET)
    first, second, third = answers(talk, ["HEAD", "HEAD", "GET"])
    assert first == second
    assert first.body == b""
    assert third.body
    assert {**first.headers, "date": ""} == {**third.headers, "date": ""}


async def test_f13_connection_does_not_take_away_the_length(
    autojump_clock: trio.testing.MockClock,
) -> None:
    fields = b"Connection: content-length\r\nContent-Length: 1\r\n\r\na"
    talk = await say(Served(), P + fields + ONE)
    assert [got.body for got in answers(talk)] == [b"a", b""]


async def test_f14_an_underscore_is_no_hyphen(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def told(request: Request) -> Response:
        told = ["content-length", "x-forwarded-for"]
        found = [name for name in told if name in request.headers]
        return Response(200, body=repr((found, str(request.peer))).encode())

    fields = b"Content_Length: 5\r\nX_Forwarded_For: 1.2.3.4\r\n\r\n"
    talk = await say(told, G + fields)
    assert answer(talk).body == b"([], 'memory')"


async def test_f16_a_flood_of_requests_waits_where_it_is(
    autojump_clock: trio.testing.MockClock,
) -> None:
    order: list[bytes] = []

    async def slow(request: Request) -> Response:
        await trio.sleep(0.01)
        order.append(request.target.query.encode())
        return Response(200, body=request.target.query.encode())

    flood = [b"GET /?%d HTTP/1.1\r\nHost: a\r\n\r\n" % n for n in range(1000)]
    async with talking(slow, buffer=1000) as talk:
        async with trio.open_nursery() as sending:
            sending.start_soon(talk.send, b"".join(flood))
            await trio.sleep(0.001)
            # The transport holds a buffer's worth, we one read of it, the rest waits.
            assert len(order) == 0
        await talk.farewell()
    assert order == [b"%d" % n for n in range(1000)]
    assert [got.body for got in answers(talk)] == order
    assert READ_SIZE < 1 << 20


async def test_h2_the_target_names_the_host(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def where(request: Request) -> Response:
        return Response(200, body=request.url.encode())

    talk = await say(where, b"GET http://A:80/x?y HTTP/1.1\r\nHost: a:80\r\n\r\n")
    assert answer(talk).body == b"http://A:80/x?y"


async def test_secure_is_what_the_transport_says(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def where(request: Request) -> Response:
        return Response(200, body=request.url.encode())

    async with talking(where, secure=True) as talk:
        await talk.send(GET)
        await talk.farewell()
    assert answer(talk).body == b"https://a/"


async def test_an_empty_connection_is_closed_in_silence(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with talking(hello) as talk:
        await talk.peer.send_eof()
        await talk.farewell()
    assert (talk.received, talk.end, talk.records, talk.logs) == (b"", End.FIN, [], [])


async def test_a_head_that_breaks_off_is_no_request(
    autojump_clock: trio.testing.MockClock,
) -> None:
    for at in range(1, len(ONE)):
        async with talking(hello) as talk:
            await talk.send(ONE[:at])
            await talk.peer.send_eof()
            await talk.farewell()
        assert (talk.received, talk.records, talk.logs) == (b"", [], [])


async def test_f15_what_follows_an_unread_body_is_no_request(
    autojump_clock: trio.testing.MockClock,
) -> None:
    served = Served()

    async def forbid(request: Request) -> Response:
        served.paths.append(request.path)
        return Response(403)

    length = b"Content-Length: 1000000\r\n\r\n"
    talk = await say(forbid, P + length + b"x" * 10 + SMUGGLED)
    got = answer(talk)
    assert (got.status, got.headers["connection"]) == (403, "close")
    assert served.paths == ["/"]
    assert talk.over_at == 0


@pytest.mark.parametrize(
    "body",
    [
        b"Content-Length: 65536\r\n\r\n" + bytes(65536),
        b"Transfer-Encoding: chunked\r\n\r\n8000\r\n"
        + bytes(0x8000)
        + b"\r\n0\r\n\r\n",
        b"Content-Length: 0\r\n\r\n",
    ],
    ids=["sized", "chunked", "empty"],
)
async def test_f15_a_small_unread_body_is_skipped(
    body: bytes, autojump_clock: trio.testing.MockClock
) -> None:
    talk = await say(hello, P + body + ONE)
    assert [got.body for got in answers(talk)] == [b"hello /", b"hello /1"]
    assert (
        talk.records[0].received == len(body.partition(b"\r\n\r\n")[2])
        or b"8000" in body
    )


async def test_f15_an_unread_body_that_does_not_come_is_not_waited_for(
    autojump_clock: trio.testing.MockClock,
) -> None:
    talk = await say(hello, P + b"Content-Length: 9\r\n\r\nabc")
    assert answer(talk).body == b"hello /"
    assert talk.over_at == pytest.approx(Limits().linger)
    assert [record.ending.value for record in talk.records] == ["complete"]


async def test_f15_a_malformed_unread_body_ends_the_connection(
    autojump_clock: trio.testing.MockClock,
) -> None:
    chunked = P + b"Transfer-Encoding: chunked\r\n\r\n"
    talk = await say(hello, chunked + b"zz\r\n" + SMUGGLED)
    assert answer(talk).body == b"hello /"
    assert (talk.end, talk.logs) == (End.FIN, [])


async def test_f15_an_unread_body_without_end_ends_the_connection(
    autojump_clock: trio.testing.MockClock,
) -> None:
    chunked = P + b"Transfer-Encoding: chunked\r\n\r\n"
    talk = await say(hello, chunked, *[b"4000\r\n" + bytes(0x4000) + b"\r\n"] * 99)
    assert answer(talk).body == b"hello /"
    assert (talk.end, talk.logs) == (End.FIN, [])
    assert talk.records[0].received <= 64 * 1024 + READ_SIZE
