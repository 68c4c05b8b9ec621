"""HTTP/1.1: every wait has its deadline, and the server can stop."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from tests.wire.handlers import GET, G, P, Served, hello
from tests.wire.talking import End, answer, answers, say, talking
from trioweb.message.exchange import OnDisconnect
from trioweb.message.request import Request
from trioweb.message.response import Response, Send
from trioweb.testing.transport import MemoryTransport
from trioweb.wire.limits import Limits


async def test_s1_a_head_has_ten_seconds_from_its_first_byte(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with talking(hello) as talk:
        await trio.sleep(5)
        for byte in b"GET / HTTP/1.1\r\nX":
            await talk.send(bytes([byte]))
            await trio.sleep(1)
        await talk.farewell()
    got = answer(talk)
    assert (got.status, got.headers["connection"]) == (408, "close")
    assert (talk.over_at, talk.logs) == (15, [])
    assert [(r.status, r.ending.value) for r in talk.records] == [(408, "timeout")]


async def test_s2_who_says_nothing_is_left_in_silence_after_ten(
    autojump_clock: trio.testing.MockClock,
) -> None:
    talk = await say(hello)
    assert (talk.received, talk.over_at, talk.records) == (b"", 10, [])


@pytest.mark.parametrize("more", [b"", b"\r\n", b"\r"])
async def test_an_idle_connection_is_closed_after_75_seconds(
    more: bytes, autojump_clock: trio.testing.MockClock
) -> None:
    talk = await say(hello, GET + more)
    assert (answer(talk).status, talk.over_at, talk.end) == (200, 75, End.FIN)
    assert len(talk.records) == 1


async def test_the_second_head_has_its_own_ten_seconds(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with talking(hello) as talk:
        await talk.send(GET)
        await trio.sleep(60)
        await talk.send(b"GET")
        await talk.farewell()
    assert [got.status for got in answers(talk)] == [200, 408]
    assert talk.over_at == 70


async def test_a_refusal_near_the_deadline_is_the_only_answer(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with talking(hello) as talk:
        await talk.send(b"GET")
        await trio.sleep(9.5)
        await talk.send(b"\0")
        await talk.served.wait()
    assert [got.status for got in answers(talk)] == [400]
    assert [(r.status, r.ending.value) for r in talk.records] == [(400, "refused")]


async def test_x4_a_handler_that_takes_too_long_is_a_503(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def slow(request: Request) -> Response:
        request.exchange.limit(60)
        await trio.sleep_forever()
        raise AssertionError

    talk = await say(slow, GET)
    got = answer(talk)
    assert (got.status, got.headers["connection"]) == (503, "close")
    assert (talk.over_at, talk.end, talk.logs) == (60, End.FIN, [])
    assert [(r.seconds, r.ending.value) for r in talk.records] == [(60, "timeout")]


async def test_the_limit_is_the_handlers_and_not_the_writers(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def handler(request: Request) -> Response:
        request.exchange.limit(1)

        async def write(send: Send) -> None:
            await trio.sleep(100)
            await send(b"late")

        return Response(200, body=write)

    talk = await say(handler, GET)
    assert (answer(talk).body, talk.logs) == (b"late", [])


async def test_a_limit_that_passes_in_the_middle_breaks_off_visibly(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def handler(request: Request) -> Response:
        async def write(send: Send) -> None:
            request.exchange.limit(1)
            await send(b"some")
            await trio.sleep(100)

        return Response(200, body=write)

    talk = await say(handler, GET)
    assert (talk.end, answer(talk).complete) == (End.RESET, False)
    assert [(r.status, r.ending.value) for r in talk.records] == [(200, "timeout")]


async def test_a_limit_can_be_lifted(autojump_clock: trio.testing.MockClock) -> None:
    async def handler(request: Request) -> Response:
        request.exchange.limit(1)
        request.exchange.limit(None)
        await trio.sleep(100)
        return Response(200)

    assert answer(await say(handler, GET)).status == 200


async def test_a_peer_that_does_not_take_its_503_goes_without(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def slow(request: Request) -> Response:
        request.exchange.limit(1)
        await trio.sleep_forever()
        raise AssertionError

    async with talking(slow, buffer=100, listen=False) as talk:
        await talk.peer.send_all(GET)
        await talk.served.wait()
        assert trio.current_time() == pytest.approx(2)  # with the farewell
        await talk.listen()
    assert talk.end is End.RESET


@pytest.mark.parametrize("choice", ["cancel", "finish"])
async def test_a_half_closed_peer_that_is_waited_for_gets_its_503(
    choice: OnDisconnect, autojump_clock: trio.testing.MockClock
) -> None:
    async def slow(request: Request) -> Response:
        request.exchange.on_disconnect(choice)
        request.exchange.limit(10)
        await trio.sleep_forever()
        raise AssertionError

    async with talking(slow) as talk:
        await talk.send(GET)
        await talk.peer.send_eof()
        await talk.farewell()
    (record,) = talk.records
    if choice == "finish":
        assert (answer(talk).status, record.ending.value) == (503, "timeout")
    else:
        assert (talk.received, record.ending.value, talk.over_at) == (b"", "gone", 0.5)


async def test_draining_closes_an_idle_connection_after_a_linger(
    autojump_clock: trio.testing.MockClock,
) -> None:
    for before in (b"", GET):
        async with talking(hello) as talk:
            await talk.send(before)
            await trio.sleep(5)
            begun = trio.current_time()
            talk.service.drain()
            await talk.farewell()
        assert talk.over_at - begun == pytest.approx(1)
        assert talk.end is End.FIN
        assert not talk.service.idle


async def test_draining_does_not_prolong_a_wait(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with talking(hello) as talk:
        await trio.sleep(9.5)
        talk.service.drain()
        await talk.farewell()
    assert talk.over_at == 10


async def test_s12_draining_answers_one_more_request(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with talking(hello) as talk:
        await talk.send(GET)
        talk.service.drain()
        await trio.sleep(0.5)
        await talk.send(GET + GET)
        await talk.farewell()
    first, second = answers(talk)
    assert "connection" not in first.headers
    assert second.headers["connection"] == "close"
    assert talk.over_at == 0.5


async def test_draining_lets_a_head_and_a_handler_finish(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def slow(request: Request) -> Response:
        await trio.sleep(10)
        return Response(200, body=await request.body())

    async with talking(slow) as talk:
        await talk.send(P + b"Content-Len")
        talk.service.drain()
        await trio.sleep(5)
        await talk.send(b"gth: 5\r\n\r\nhello")
        await talk.farewell()
    got = answer(talk)
    assert (got.body, got.headers["connection"]) == (b"hello", "close")
    assert talk.over_at == 15


async def test_draining_is_told_to_streams(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def events(request: Request) -> Response:
        async def write(send: Send) -> None:
            await send(b"hello ")
            await request.draining.wait()
            await send(b"bye")

        return Response(200, body=write)

    async with talking(events) as talk:
        await talk.send(GET)
        await trio.sleep(1000)
        talk.service.drain()
        await talk.farewell()
    assert answer(talk).body == b"hello bye"
    # Its head had promised to keep the connection: now it is an idle one.
    assert talk.over_at == 1001


async def test_a_connection_that_comes_while_draining_has_the_linger(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with talking(hello) as talk:
        talk.service.drain()
        await talk.farewell()
    assert talk.over_at == pytest.approx(Limits().drain_linger)


async def test_a_handshake_that_stalls_is_given_up(
    autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def forever(transport: MemoryTransport) -> None:
        await trio.sleep_forever()

    monkeypatch.setattr(MemoryTransport, "handshake", forever)
    talk = await say(hello)
    assert (talk.over_at, talk.end) == (10, End.FIN)


async def test_limits_can_be_set(autojump_clock: trio.testing.MockClock) -> None:
    limits = Limits(idle_time=3, head=40)
    talk = await say(hello, GET, limits=limits)
    assert talk.over_at == 3
    talk = await say(Served(), G + b"X: " + b"a" * 40 + b"\r\n\r\n", limits=limits)
    assert answer(talk).status == 431
