"""HTTP/1.1: stepping aside for another protocol (RFC 9110 section 7.8)."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from tests.wire.handlers import G, T
from tests.wire.talking import End, say, splits, talking
from trioweb.message.request import Request
from trioweb.message.response import Response

SWITCH = G + b"Connection: Upgrade\r\nUpgrade: shout\r\n\r\n"


async def shout(stream: trio.abc.Stream) -> None:
    """Says everything back in capitals; ends with the peer or an exclamation mark."""
    while data := await stream.receive_some(4):
        await stream.send_all(data.upper())
        if data.endswith(b"!"):
            return


async def shouting(request: Request) -> Response:
    return Response(200, {"x-tag": "a"}, tunnel=shout)


def said(received: bytes) -> bytes:
    head, _, rest = received.partition(b"\r\n\r\n")
    assert head == (
        b"HTTP/1.1 101 Switching Protocols\r\n"
        b"x-tag: a\r\nupgrade: shout\r\nconnection: upgrade"
    )
    return rest


async def test_what_was_read_ahead_is_the_tunnels(
    autojump_clock: trio.testing.MockClock,
) -> None:
    for pieces in splits(SWITCH + b"hello GET / HTTP/1.1\r\n\r\n!"):
        talk = await say(shouting, *pieces)
        assert said(talk.received) == b"HELLO GET / HTTP/1.1\r\n\r\n!"
        assert (talk.end, talk.logs) == (End.FIN, [])
        assert [(r.status, r.ending.value) for r in talk.records] == [(101, "complete")]


async def test_a_tunnel_may_be_quiet_for_long(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with talking(shouting) as talk:
        await talk.send(SWITCH)
        await trio.sleep(10_000)
        await talk.send(b"hi!")
        await talk.farewell()
    assert said(talk.received) == b"HI!"


async def test_a_tunnel_outlives_its_peers_last_word(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def slowly(stream: trio.abc.Stream) -> None:
        assert await stream.receive_some() == b""
        await trio.sleep(10)
        await stream.wait_send_all_might_not_block()
        await stream.send_all(b"BYE")
        await stream.aclose()

    async def handler(request: Request) -> Response:
        return Response(200, {"x-tag": "a"}, tunnel=slowly)

    async with talking(handler) as talk:
        await talk.send(SWITCH)
        await talk.peer.send_eof()
        await talk.farewell()
    assert said(talk.received) == b"BYE"
    assert talk.logs == []


async def test_the_body_of_the_request_comes_first(
    autojump_clock: trio.testing.MockClock,
) -> None:
    head = T.replace(
        b"\r\n\r\n", b"\r\nConnection: x, upgrade\r\nUpgrade: shout, b\r\n\r\n"
    )
    talk = await say(shouting, head + b"1\r\na\r\n0\r\n\r\nhi!")
    assert said(talk.received) == b"HI!"


async def test_a_tunnel_that_fails_breaks_off_visibly(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def fail(stream: trio.abc.Stream) -> None:
        raise ValueError

    async def handler(request: Request) -> Response:
        return Response(200, tunnel=fail)

    talk = await say(handler, SWITCH)
    assert (talk.end, len(talk.logs)) == (End.RESET, 1)
    assert [r.ending.value for r in talk.records] == ["failed"]


@pytest.mark.parametrize("in_nursery", [False, True])
async def test_s10_a_reset_ends_a_tunnel_quietly(
    in_nursery: bool, autojump_clock: trio.testing.MockClock
) -> None:
    async def talker(stream: trio.abc.Stream) -> None:
        if not in_nursery:
            await shout(stream)
            return
        async with trio.open_nursery() as both:
            both.start_soon(shout, stream)
            both.start_soon(trio.sleep_forever)

    async def handler(request: Request) -> Response:
        return Response(200, tunnel=talker)

    async with talking(handler) as talk:
        await talk.send(SWITCH, b"hi")
        talk.peer.abort()
        await talk.served.wait()
    assert talk.logs == []
    assert [r.ending.value for r in talk.records] == ["gone"]


async def test_s10_a_reset_ends_a_tunnel_that_does_not_listen_at_once(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def deaf(stream: trio.abc.Stream) -> None:
        await trio.sleep_forever()

    async def handler(request: Request) -> Response:
        return Response(200, tunnel=deaf)

    async with talking(handler) as talk:
        await talk.send(SWITCH)
        await trio.sleep(100)
        talk.peer.abort()
        await talk.served.wait()
        assert trio.current_time() == 100
    assert talk.logs == []
    assert [r.ending.value for r in talk.records] == ["gone"]


async def test_a_tunnel_that_is_to_finish_is_not_ended_by_a_reset(
    autojump_clock: trio.testing.MockClock,
) -> None:
    finished: list[float] = []

    async def work(stream: trio.abc.Stream) -> None:
        await trio.sleep(100)
        finished.append(trio.current_time())

    async def handler(request: Request) -> Response:
        request.exchange.on_disconnect("finish")
        return Response(200, tunnel=work)

    async with talking(handler) as talk:
        await talk.send(SWITCH)
        talk.peer.abort()
        await talk.served.wait()
    assert finished == [100]


async def test_s4_a_tunnel_whose_peer_takes_nothing_is_broken_off(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def pour(stream: trio.abc.Stream) -> None:
        await stream.send_all(bytes(100_000))

    async def handler(request: Request) -> Response:
        return Response(200, tunnel=pour)

    async with talking(handler, listen=False) as talk:
        await talk.send(SWITCH)
        await talk.served.wait()
        assert 30 <= trio.current_time() <= 36
    assert [r.ending.value for r in talk.records] == ["timeout"]


async def test_what_was_cut_off_cannot_go_on_or_end_as_if_it_had_not(
    autojump_clock: trio.testing.MockClock,
) -> None:
    refused: list[type[Exception]] = []

    async def hasty(stream: trio.abc.Stream) -> None:
        with trio.move_on_after(1):
            await stream.send_all(bytes(100_000))
        for use in (stream.wait_send_all_might_not_block(), stream.send_all(b"more")):
            try:
                await use
            except trio.BrokenResourceError as error:
                refused.append(type(error))
        await stream.aclose()

    async def handler(request: Request) -> Response:
        return Response(200, tunnel=hasty)

    async with talking(handler, listen=False) as talk:
        await talk.send(SWITCH)
        await talk.served.wait()
        await talk.listen()
    assert refused == [trio.BrokenResourceError] * 2
    assert talk.end is End.RESET
    assert [r.ending.value for r in talk.records] == ["gone"]


async def test_a_tunnel_that_has_said_all_fails_after_its_end(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def fail(stream: trio.abc.Stream) -> None:
        await stream.send_all(b"bye")
        await stream.aclose()
        await stream.aclose()
        with pytest.raises(trio.ClosedResourceError):
            await stream.send_all(b"more")
        raise ValueError

    async def handler(request: Request) -> Response:
        return Response(200, {"x-tag": "a"}, tunnel=fail)

    talk = await say(handler, SWITCH)
    assert said(talk.received) == b"bye"
    assert (talk.end, len(talk.logs)) == (End.FIN, 1)
    assert [r.ending.value for r in talk.records] == ["failed"]


async def test_what_goes_through_a_tunnel_is_counted(
    autojump_clock: trio.testing.MockClock,
) -> None:
    talk = await say(shouting, SWITCH + b"hello", b" there!")
    [record] = talk.records
    assert record.received == len(b"hello there!")
    assert record.sent == len(talk.received)
