"""HTTP/1.1: what is recorded of an exchange, in each ending."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from tests.wire.handlers import GET, P, Served, T, counting
from tests.wire.talking import say, talking
from trioweb.message.exchange import Ending
from trioweb.message.request import Request
from trioweb.message.response import Response
from trioweb.message.transport import Peer


async def test_an_exchange_is_recorded_with_all_that_is_known(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def handler(request: Request) -> Response:
        request.route = "/{name}"
        await trio.sleep(2)
        return Response(201, body=await request.body())

    async with talking(handler) as talk:
        await trio.sleep(5)
        head = b"POST /x%20y?q=%41 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
        await talk.send(head)
        await trio.sleep(5)
        await talk.send(b"\r\nabc")
        await trio.sleep(3)
    (record,) = talk.records
    assert (record.method, record.target) == ("POST", "/x%20y?q=%41")
    assert (record.route, record.peer, record.version) == (
        "/{name}",
        Peer("memory"),
        "1.1",
    )
    assert (record.status, record.ending) == (201, Ending.COMPLETE)
    assert (record.received, record.sent) == (3, len(talk.received))
    assert record.seconds == pytest.approx(2)


async def test_each_exchange_counts_its_own_bytes(
    autojump_clock: trio.testing.MockClock,
) -> None:
    body = T + b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
    talk = await say(Served(), body, GET, P + b"Content-Length: 5\r\n\r\nhello")
    assert [record.received for record in talk.records] == [3, 0, 5]
    assert sum(record.sent for record in talk.records) == len(talk.received)
    assert [record.seconds for record in talk.records] == [0, 0, 0]


async def test_what_was_drained_counts_as_received(
    autojump_clock: trio.testing.MockClock,
) -> None:
    talk = await say(counting, P + b"Content-Length: 5\r\n\r\nhello")
    assert [record.received for record in talk.records] == [5]


async def test_a_peer_that_keeps_the_connection_open_costs_no_time(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with talking(counting) as talk:
        await talk.send(b"GET / HTTP/1.0\r\n\r\n")
        assert [record.seconds for record in talk.records] == [0]
        assert [record.version for record in talk.records] == ["1.0"]


async def test_bytes_that_are_no_request_have_no_method(
    autojump_clock: trio.testing.MockClock,
) -> None:
    talk = await say(Served(), b"\x16\x03\x01")
    (record,) = talk.records
    assert (record.method, record.target, record.route) == ("", "", None)
    assert (record.status, record.ending, record.seconds) == (400, Ending.REFUSED, 0)
    assert record.sent == len(talk.received)


async def test_an_exchange_that_the_servers_end_cuts_off_is_stopped(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def slow(request: Request) -> Response:
        await trio.sleep(100)
        raise AssertionError

    async with talking(slow) as talk:
        await talk.send(GET)
        await trio.sleep(4)
        talk.serving.cancel()
        await talk.served.wait()
    (record,) = talk.records
    assert (record.status, record.ending, record.seconds) == (None, Ending.STOPPED, 4)
    assert (record.received, record.sent) == (0, 0)


async def test_nobody_needs_to_listen(autojump_clock: trio.testing.MockClock) -> None:
    async with talking(counting) as talk:
        object.__setattr__(talk.service, "record", None)
        await talk.send(GET)
        await talk.farewell()
    assert talk.records == []
    assert talk.received.endswith(b"0\r\n\r\n")
