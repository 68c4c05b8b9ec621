"""A load that presses: connections end, requests are refused, nothing is cut (E4)."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from tests.wire.handlers import GET, P, Served, echo
from tests.wire.talking import End, answer, answers, talking
from trioweb.message.request import Request
from trioweb.message.response import Response
from trioweb.wire.load import CONTENT, Level, Load


async def test_e4_at_ease_a_connection_goes_on(
    autojump_clock: trio.testing.MockClock,
) -> None:
    served = Served()
    async with talking(served) as talk:
        await talk.send(GET, GET)
        assert talk.end is None
    assert [each.status for each in answers(talk)] == [200, 200]
    assert "connection" not in answers(talk)[0].headers


async def test_e4_a_soft_load_ends_a_connection_after_its_answer(
    autojump_clock: trio.testing.MockClock,
) -> None:
    served = Served()
    async with talking(served) as talk:
        await talk.send(GET)
        talk.service.load.level = Level.SOFT
        await talk.send(GET, GET)
        await talk.farewell()
    first, last = answers(talk)
    assert (first.status, last.status) == (200, 200)
    assert "connection" not in first.headers
    assert last.headers["connection"] == "close"
    assert talk.end is End.FIN
    assert served.paths == ["/", "/"]


@pytest.mark.parametrize(
    "request_", [GET, P + b"Content-Length: 5\r\n\r\nhello"], ids=["GET", "POST"]
)
async def test_e4_a_hard_load_refuses_before_the_handler_is_called(
    autojump_clock: trio.testing.MockClock, request_: bytes
) -> None:
    served = Served()
    async with talking(served) as talk:
        talk.service.load.level = Level.HARD
        await talk.send(request_)
        await talk.farewell()
    refused = answer(talk, request_[:4].decode().strip())
    assert refused.status == 503
    assert refused.headers["retry-after"] == "1"
    assert refused.headers["connection"] == "close"
    assert refused.complete
    assert served.paths == []


async def test_e4_a_hard_load_refuses_content_that_is_still_to_come(
    autojump_clock: trio.testing.MockClock,
) -> None:
    served = Served()
    async with talking(served) as talk:
        await talk.send(P + b"Content-Length: 10\r\n\r\nhello")
        talk.service.load.level = Level.HARD
        await talk.send(b"wo", b"rld")
        await talk.farewell()
    assert answer(talk, "POST").status == 503
    assert answer(talk, "POST").headers["retry-after"] == "1"
    assert served.paths == ["/"]
    assert talk.logs == []  # no fault of the handler's


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (GET, 200),
        (P + b"Content-Length: 5\r\nExpect: 100-continue\r\n\r\n", 503),
    ],
    ids=["nothing is to come", "100 (Continue) is waited for"],
)
async def test_e4_a_hard_load_asks_for_no_content_and_needs_none(
    autojump_clock: trio.testing.MockClock, request_: bytes, status: int
) -> None:
    async def late(request: Request) -> Response:
        await trio.sleep(1)
        return Response(200, body=await request.body())

    async with talking(late) as talk:
        await talk.send(request_)
        talk.service.load.level = Level.HARD
        await talk.farewell()
    assert (answer(talk).status, answer(talk).interim) == (status, [])


async def test_e4_a_hard_load_cuts_no_answer_that_has_begun(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with talking(echo) as talk:
        await talk.send(P + b"Content-Length: 10\r\n\r\nhello")
        talk.service.load.level = Level.HARD
        await talk.send(b"wo", b"rld")
        assert answer(talk, "POST").body == b"helloworld"
        assert answer(talk, "POST").complete


async def test_e4_content_calls_for_a_look_by_its_bytes() -> None:
    looks: list[None] = []
    load = Load()
    load.look = lambda: looks.append(None)
    for _ in range(3):
        load.add(CONTENT - 1)
        load.add(1)
    assert len(looks) == 3
    Load().add(CONTENT)  # nobody there to look
