"""The pace of content: what comes too slowly or is not taken ends (S3, S4)."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from tests.wire.talking import End, answer, talking
from trioweb.message.request import Request
from trioweb.message.response import Response, Send
from trioweb.wire.limits import Limits

LIMITS = Limits()
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"
GET = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
MIB = 1 << 20

Clock = trio.testing.MockClock


async def reading(request: Request) -> Response:
    return Response(200, body=b"%d" % len(await request.body()))


async def endless(request: Request) -> Response:
    async def write(send: Send) -> None:
        while True:
            await send(bytes(64 * 1024))

    return Response(200, {}, write)


async def test_s3_content_that_does_not_come_is_a_408_after_the_grace(
    autojump_clock: Clock,
) -> None:
    async with talking(reading) as talk:
        await talk.send(POST % 1000 + b"x")
        await talk.farewell()
    assert answer(talk).status == 408
    assert LIMITS.grace <= talk.records[0].seconds <= LIMITS.grace + 0.1
    assert [r.ending.value for r in talk.records] == ["timeout"]
    assert talk.logs == []


async def test_s3_a_byte_each_four_seconds_is_too_slow(autojump_clock: Clock) -> None:
    async with talking(reading) as talk:
        await talk.send(POST % 1000)
        for _ in range(10):
            await talk.send(b"x")
            await trio.sleep(4)
        await talk.farewell()
    assert answer(talk).status == 408
    assert 5 <= talk.records[0].seconds <= 16


async def test_s3_content_at_a_decent_rate_may_take_its_time(
    autojump_clock: Clock,
) -> None:
    async with talking(reading) as talk:
        await talk.send(POST % (300 * 100))
        for _ in range(100):
            await trio.sleep(1)
            await talk.send(bytes(300))
        await talk.peer.send_eof()
        await talk.farewell()
    assert answer(talk).body == b"30000"


async def test_s3_the_time_a_handler_takes_is_not_its_peers(
    autojump_clock: Clock,
) -> None:
    async def slow(request: Request) -> Response:
        pieces = request.stream()
        await anext(pieces)
        await trio.sleep(1000)
        return Response(200, body=b"".join([piece async for piece in pieces]))

    async with talking(slow) as talk:
        await talk.send(POST % 2 + b"a")
        await trio.sleep(999)
        await talk.send(b"b")
        await talk.over.wait()
    assert answer(talk).body == b"b"


async def test_s3_a_start_in_haste_buys_no_hours_of_silence(
    autojump_clock: Clock,
) -> None:
    """At 240 B/s on the average this megabyte would pay for more than an hour."""
    async with talking(reading) as talk:
        await talk.send(POST % MIB + bytes(MIB - 1))
        await talk.farewell()
    assert answer(talk).status == 408
    assert trio.current_time() <= LIMITS.stall + LIMITS.linger + 1


async def test_s3_the_time_in_which_the_loop_was_busy_is_not_the_peers(
    mock_clock: Clock,
) -> None:
    async with talking(reading) as talk:
        await talk.send(POST % 30 + b"x" * 10)
        for _ in range(2):
            await talk.peer.send_all(b"x" * 10)
            mock_clock.jump(60)  # by a handler that blocks
            await trio.testing.wait_all_tasks_blocked()
        await trio.testing.wait_all_tasks_blocked()
        assert answer(talk).body == b"30"


async def test_s3_a_handler_that_stops_waiting_has_stopped_the_clock(
    autojump_clock: Clock,
) -> None:
    async def patient(request: Request) -> Response:
        with trio.move_on_after(2):
            await request.body()
        await trio.sleep(100)
        return Response(200, body=b"gave up")

    async with talking(patient) as talk:
        await talk.send(POST % 1000)
        await talk.over.wait()
    assert talk.received.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("length", [None, 10 * MIB], ids=["streamed", "whole"])
async def test_s4_a_peer_that_takes_nothing_is_reset_after_30_seconds(
    autojump_clock: Clock, length: int | None
) -> None:
    async def whole(request: Request) -> Response:
        return Response(200, body=bytes(length or 0))

    cancelled: list[float] = []

    async def watched(request: Request) -> Response:
        response = await endless(request)
        body = response.body
        assert callable(body)

        async def write(send: Send) -> None:
            try:
                await body(send)
            finally:
                cancelled.append(trio.current_time())

        response.body = write
        return response

    handler = whole if length else watched
    async with talking(handler, listen=False) as talk:
        await talk.peer.send_all(GET)
        await talk.served.wait()
        assert LIMITS.stall <= trio.current_time() <= LIMITS.stall + LIMITS.look
        with pytest.raises(trio.BrokenResourceError):
            await talk.peer.receive_some()
    assert [r.ending.value for r in talk.records] == ["timeout"]
    assert len(cancelled) == (0 if length else 1)


async def test_s4_a_peer_that_takes_little_is_reset_as_well(
    autojump_clock: Clock,
) -> None:
    async with talking(endless, listen=False) as talk:
        await talk.peer.send_all(GET)

        async def sip() -> None:
            while True:
                await trio.sleep(10)
                await talk.peer.receive_some(100)

        with pytest.raises(trio.BrokenResourceError):
            await sip()
        assert LIMITS.stall <= trio.current_time() <= 2 * LIMITS.stall


async def test_s4_a_peer_that_reads_slowly_but_steadily_gets_it_all(
    autojump_clock: Clock,
) -> None:
    async def whole(request: Request) -> Response:
        return Response(200, body=bytes(100_000))

    async with talking(whole, listen=False, buffer=4096) as talk:
        await talk.peer.send_all(GET)
        received = 0
        while piece := await talk.peer.receive_some(500):
            received += len(piece)
            await trio.sleep(1)
        assert received > 100_000
        assert trio.current_time() >= 200


async def test_s4_a_peer_that_reads_steadily_may_take_it_in_large_steps(
    autojump_clock: Clock,
) -> None:
    """As systems do whose window has closed: 300 B/s, in steps of 18 s."""

    async def whole(request: Request) -> Response:
        return Response(200, body=bytes(60_000))

    async with talking(whole, listen=False, buffer=5_500) as talk:
        await talk.peer.send_all(GET)
        received = 0
        while piece := await talk.peer.receive_some(5_500):
            received += len(piece)
            await trio.sleep(18)
        assert received > 60_000


async def test_s5_a_connection_ends_after_so_many_requests(
    autojump_clock: Clock,
) -> None:
    async with talking(reading, limits=Limits(requests=3)) as talk:
        await talk.send(GET.replace(b"Connection: close\r\n", b"") * 5)
        await talk.farewell()
    assert len(talk.records) == 3
    assert talk.received.lower().count(b"connection: close") == 1
    assert talk.end is End.FIN


async def test_s5_a_connection_ends_at_its_age(autojump_clock: Clock) -> None:
    async with talking(reading, limits=Limits(age=100)) as talk:
        for _ in range(3):
            await talk.send(GET.replace(b"Connection: close\r\n", b""))
            await trio.sleep(60)
        await talk.farewell()
    assert [r.seconds for r in talk.records] == [0, 0, 0]
    assert talk.received.lower().count(b"connection: close") == 1


async def test_s5_the_longest_idle_is_evicted_first(autojump_clock: Clock) -> None:
    async with talking(reading) as talk:
        assert talk.service.evict() is False or talk.received == b""
        await talk.send(GET.replace(b"Connection: close\r\n", b""))
        assert talk.service.evict()
        assert not talk.service.evict()
        await talk.farewell()
    assert talk.end is End.FIN
    assert [r.ending.value for r in talk.records] == ["complete"]
