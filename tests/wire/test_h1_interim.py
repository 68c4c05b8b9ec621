"""HTTP/1.1: interim responses (RFC 9110 section 15.2)."""

from __future__ import annotations

import trio
import trio.testing

from tests.wire.answering import broken
from tests.wire.handlers import GET
from tests.wire.talking import End, answer, answers, say, talking
from trioweb.message.request import Request
from trioweb.message.response import Response, Send

INTERIM = b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"


async def hinting(request: Request) -> Response:
    await request.inform(103, {"link": "</a>"})
    await trio.sleep(1)
    return Response(200, body=b"done")


async def test_8297_2_an_interim_response_leaves_at_once(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with talking(hinting) as talk:
        await talk.send(GET)
        assert talk.received == INTERIM
        await talk.send(GET)
        await talk.farewell()
    assert [(got.interim, got.body) for got in answers(talk)] == [([103], b"done")] * 2


async def test_9110_15_2_an_old_peer_gets_none(
    autojump_clock: trio.testing.MockClock,
) -> None:
    talk = await say(hinting, b"GET / HTTP/1.0\r\n\r\n")
    assert (answer(talk).interim, answer(talk).body) == ([], b"done")


async def test_an_interim_response_that_was_cut_off_ends_the_connection(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def inform(request: Request) -> Response:
        with trio.move_on_after(1):
            await request.inform(103, {"link": "</" + "a" * 2000 + ">"})
        return Response(200, body=b"done")

    async with talking(inform, buffer=1000, listen=False) as talk:
        await talk.peer.send_all(GET)
        await trio.sleep(2)
        await talk.listen()
    assert (talk.end, len(talk.logs)) == (End.RESET, 1)
    assert b"200" not in talk.received


async def test_none_can_follow_the_final_head(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def late(request: Request) -> Response:
        async def write(send: Send) -> None:
            await send(b"x")
            await request.inform(103)

        return Response(200, body=write)

    broken(await say(late, GET))
