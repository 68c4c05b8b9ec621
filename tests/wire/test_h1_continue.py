"""HTTP/1.1: 100 (Continue) is sent when the handler reads, and never unasked."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from tests.wire.agreeing import on_the_lane
from tests.wire.handlers import GET, P, Served, echo, hello
from tests.wire.talking import answer, answers, say, talking
from trioweb.message.errors import TooLarge
from trioweb.message.request import Request
from trioweb.message.response import Response, Send
from trioweb.wire.limits import Limits

EXPECTING = P + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@pytest.mark.parametrize("handler", [Served(), echo], ids=["body", "echo"])
async def test_f17_it_is_sent_when_the_handler_reads(
    handler: Served, autojump_clock: trio.testing.MockClock
) -> None:
    async with talking(handler) as talk:
        await talk.send(EXPECTING)
        assert talk.received == CONTINUE
        await talk.send(b"he", b"llo" + GET)
        await talk.farewell()
    first, second = answers(talk)
    assert (first.body, first.interim) == (b"hello", [100])
    assert "connection" not in first.headers
    assert (second.status, second.interim) == (200, [])


async def test_f17_it_is_not_sent_to_a_handler_that_does_not_read(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def refuse(request: Request) -> Response:
        return Response(401)

    talk = await say(refuse, EXPECTING)
    got = answer(talk)
    assert (got.status, got.interim, got.headers["connection"]) == (401, [], "close")
    # Nobody waits for a body that was never asked for.
    assert talk.over_at == 0
    assert [record.seconds for record in talk.records] == [0]


async def test_f17_nor_for_a_length_that_is_too_large(
    autojump_clock: trio.testing.MockClock,
) -> None:
    large = P + b"Expect: 100-continue\r\nContent-Length: 9999999\r\n\r\n"
    talk = await say(Served(), large)
    assert (answer(talk).status, answer(talk).interim) == (413, [])


@pytest.mark.parametrize(
    "head",
    [
        P + b"Content-Length: 5\r\n\r\n",
        b"POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
    ],
    ids=["unasked", "9110 10.1.1 by HTTP/1.0"],
)
async def test_it_is_never_sent_to(
    head: bytes, autojump_clock: trio.testing.MockClock
) -> None:
    async with talking(Served()) as talk:
        await talk.send(head)
        assert talk.received == b""
        await talk.send(b"hello")
        await talk.farewell()
    assert (answer(talk).body, answer(talk).interim) == (b"hello", [])


async def test_it_is_not_sent_where_no_content_follows(
    autojump_clock: trio.testing.MockClock,
) -> None:
    head = P + b"Expect: 100-continue\r\nContent-Length: 0\r\n\r\n"
    talk = await say(Served(), head + GET)
    assert [got.interim for got in answers(talk)] == [[], []]


async def test_9110_10_1_1_it_is_not_sent_once_content_has_come(
    autojump_clock: trio.testing.MockClock,
) -> None:
    talk = await say(Served(), EXPECTING + b"hello" + GET)
    first, second = answers(talk)
    assert (first.body, first.interim, second.status) == (b"hello", [], 200)


async def test_other_interim_responses_do_not_stand_for_it(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def hinting(request: Request) -> Response:
        await request.inform(103, {"link": "</a>"})
        return Response(200, body=await request.body())

    async with talking(hinting) as talk:
        await talk.send(EXPECTING)
        assert talk.received.endswith(CONTINUE)
        await talk.send(b"hello")
        await talk.farewell()
    assert (answer(talk).body, answer(talk).interim) == (b"hello", [103, 100])


async def test_it_does_not_follow_the_final_head(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def early(request: Request) -> Response:
        async def write(send: Send) -> None:
            await send(b"")
            await send(await request.body())

        return Response(200, body=write)

    async with talking(early) as talk:
        await talk.send(EXPECTING)
        assert CONTINUE not in talk.received
        await talk.send(b"hello")
        await talk.farewell()
    got = answer(talk)
    assert (got.body, got.headers["connection"]) == (b"hello", "close")


async def test_s11_a_413_can_be_read_while_the_upload_goes_on(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def refuse(request: Request) -> Response:
        raise TooLarge

    async with talking(refuse) as talk:
        await talk.peer.send_all(P + b"Content-Length: 1048577\r\n\r\n")
        await talk.peer.send_all(bytes(1 << 20))  # the server takes all of it
        await talk.over.wait()
        assert answer(talk).status == 413
        assert not talk.served.is_set()
        await talk.peer.send_all(b"0")
        await talk.served.wait()
    assert talk.logs == []
    # In the record it is over when it was answered.
    assert [record.seconds for record in talk.records] == [0]


async def test_s11_an_upload_without_end_is_not_taken_for_ever(
    autojump_clock: trio.testing.MockClock,
) -> None:
    limits = Limits(lingering=1 << 17)
    async with talking(hello, limits=limits) as talk:
        await talk.peer.send_all(P + b"Content-Length: 99999999\r\n\r\n")
        with pytest.raises(trio.BrokenResourceError):
            await talk.peer.send_all(bytes(1 << 20))
        await talk.served.wait()
    assert answer(talk).body == b"hello /"


async def test_s11_a_peer_that_neither_sends_nor_closes_is_left_after_a_while(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with talking(hello, limits=Limits(requests=1)) as talk:
        await talk.send(GET)
        await talk.served.wait()
        assert trio.current_time() == pytest.approx(Limits().linger)
    assert [record.seconds for record in talk.records] == [0]


@on_the_lane
async def test_s11_one_that_has_asked_for_the_end_and_says_no_more_is_not_waited_for(
    autojump_clock: trio.testing.MockClock,
) -> None:
    last = GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    for said, seconds in ((last, 0), (last + b"\r\n", Limits().linger)):
        began = trio.current_time()
        async with talking(hello) as talk:
            await talk.send(said)
            await talk.served.wait()
            assert trio.current_time() - began == pytest.approx(seconds)
        assert answer(talk).headers["connection"] == "close"
