"""HTTP/1.1: the peer leaves, in each phase of an exchange."""

from __future__ import annotations

import math

import pytest
import trio
import trio.testing

from tests.wire.handlers import GET, P, Served, T, counting, hello
from tests.wire.talking import End, answer, answers, say, talking
from trioweb.message.errors import PeerGone
from trioweb.message.exchange import OnDisconnect
from trioweb.message.request import Request
from trioweb.message.response import Response, Send


class Slow:
    """A handler that takes *seconds*, and notes how it was ended."""

    def __init__(self, seconds: float, choice: OnDisconnect = "cancel") -> None:
        self.seconds = seconds
        self.choice = choice
        self.cancelled_at = math.nan
        self.reason: str | None = None

    async def __call__(self, request: Request) -> Response:
        request.exchange.on_disconnect(self.choice)
        try:
            await trio.sleep(self.seconds)
        except trio.Cancelled as cancelled:
            self.cancelled_at = trio.current_time()
            self.reason = cancelled.reason
            raise
        return Response(200, body=b"done")


async def test_s9_a_half_closed_peer_gets_a_quick_answer(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with talking(Slow(0.3)) as talk:
        await talk.send(GET)
        await talk.peer.send_eof()
        await talk.farewell()
    assert (answer(talk).body, answer(talk).complete) == (b"done", True)
    assert [r.ending.value for r in talk.records] == ["complete"]


async def test_s9_a_slow_handler_is_cancelled_half_a_second_after_the_end(
    autojump_clock: trio.testing.MockClock,
) -> None:
    slow = Slow(1)
    async with talking(slow) as talk:
        await talk.send(GET)
        await trio.sleep(0.25)
        await talk.peer.send_eof()
        await talk.farewell()
    assert (slow.cancelled_at, talk.received, talk.logs) == (0.75, b"", [])
    assert [(r.status, r.ending.value) for r in talk.records] == [(None, "gone")]


async def test_s9_a_route_that_finishes_is_not(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with talking(Slow(1, "finish")) as talk:
        await talk.send(GET)
        await talk.peer.send_eof()
        await talk.farewell()
    assert answer(talk).body == b"done"
    assert [r.ending.value for r in talk.records] == ["complete"]


async def test_x8_a_reset_cancels_the_handler_at_once(
    autojump_clock: trio.testing.MockClock,
) -> None:
    slow = Slow(100)
    async with talking(slow) as talk:
        await talk.send(GET)
        await trio.sleep(1)
        talk.peer.abort()
        await talk.served.wait()
    assert (slow.cancelled_at, slow.reason) == (1, "the peer reset the connection")
    assert [(r.status, r.ending.value) for r in talk.records] == [(None, "gone")]
    assert talk.logs == []


async def test_x8_or_lets_it_finish(autojump_clock: trio.testing.MockClock) -> None:
    slow = Slow(100, "finish")
    async with talking(slow) as talk:
        await talk.send(GET)
        talk.peer.abort()
        await talk.served.wait()
        assert trio.current_time() == 100
    assert [(r.ending.value, r.sent) for r in talk.records] == [("gone", 0)]
    assert talk.logs == []


async def test_a_choice_to_be_cancelled_after_all_is_heeded_at_once(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def handler(request: Request) -> Response:
        request.exchange.on_disconnect("finish")
        await trio.sleep(5)
        request.exchange.on_disconnect("cancel")
        await trio.sleep(5)
        raise AssertionError

    async with talking(handler) as talk:
        await talk.send(GET)
        talk.peer.abort()
        await talk.served.wait()
        assert trio.current_time() == 5


@pytest.mark.parametrize("reset", [True, False])
async def test_what_must_be_finished_is_finished(
    reset: bool, autojump_clock: trio.testing.MockClock
) -> None:
    committed: list[float] = []

    async def commit(request: Request) -> Response:
        with request.finish(5):
            await trio.sleep(3)
            committed.append(trio.current_time())
        await trio.sleep(1)
        raise AssertionError

    async with talking(commit) as talk:
        await talk.send(GET)
        if reset:
            talk.peer.abort()
        else:
            await talk.peer.send_eof()
        await talk.served.wait()
    assert committed == [3]
    assert [r.ending.value for r in talk.records] == ["gone"]


async def test_x7_but_not_for_ever(autojump_clock: trio.testing.MockClock) -> None:
    async def hang(request: Request) -> Response:
        with request.finish(5) as finishing:
            await trio.sleep_forever()
        assert finishing.cancelled_caught
        await trio.sleep_forever()
        raise AssertionError

    async with talking(hang) as talk:
        await talk.send(GET)
        talk.peer.abort()
        await talk.served.wait()
        assert trio.current_time() == 5


@pytest.mark.parametrize("reset", [True, False])
async def test_x8_a_handler_that_reads_is_told(
    reset: bool, autojump_clock: trio.testing.MockClock
) -> None:
    told: list[float] = []

    async def reading(request: Request) -> Response:
        try:
            await request.body()
        except PeerGone:
            told.append(trio.current_time())
            raise
        raise AssertionError

    for head in (P + b"Content-Length: 9\r\n\r\nabc", T + b"9\r\nabc"):
        async with talking(reading) as talk:
            await talk.send(head)
            if reset:
                talk.peer.abort()
            else:
                await talk.peer.send_eof()
            await talk.served.wait()
        assert [r.ending.value for r in talk.records] == ["gone"]
        assert talk.logs == []
    assert told == [0, 0]


async def test_x8_a_writer_is_cancelled_too(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def events(request: Request) -> Response:
        async def write(send: Send) -> None:
            await send(b"hello")
            await trio.sleep_forever()

        return Response(200, body=write)

    for reset in (True, False):
        async with talking(events) as talk:
            await talk.send(GET)
            if reset:
                talk.peer.abort()
            else:
                await talk.peer.send_eof()
            await talk.served.wait()
        assert [(r.status, r.ending.value) for r in talk.records] == [(200, "gone")]
        assert talk.logs == []
        if not reset:
            assert (talk.end, answer(talk).complete) == (End.RESET, False)


async def test_x8_a_failed_send_ends_the_writer(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def events(request: Request) -> Response:
        async def write(send: Send) -> None:
            while True:
                await send(b"tick")
                await trio.sleep(0.1)

        request.exchange.on_disconnect("finish")
        return Response(200, body=write)

    async with talking(events) as talk:
        await talk.send(GET)
        await talk.peer.aclose()
        await talk.served.wait()
    assert [r.ending.value for r in talk.records] == ["gone"]
    assert talk.logs == []


async def test_a_reset_between_two_requests_ends_the_second(
    autojump_clock: trio.testing.MockClock,
) -> None:
    begun = trio.Event()

    async def handler(request: Request) -> Response:
        begun.set()
        if request.path == "/2":
            await trio.sleep(100)
        return Response(200, body=b"x")

    two = GET.replace(b"/ ", b"/2 ")
    async with talking(handler) as talk:
        await talk.peer.send_all(GET + two)
        await begun.wait()
        talk.peer.abort()
        await talk.served.wait()
        assert trio.current_time() == 0
    assert talk.logs == []


async def test_an_answer_that_is_at_hand_is_given_to_a_half_closed_peer(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def large(request: Request) -> Response:
        return Response(200, body=bytes(100_000))

    async with talking(large, buffer=1000, listen=False) as talk:
        await talk.peer.send_all(GET)
        await talk.peer.send_eof()
        await trio.sleep(10)  # a slow reader
        await talk.listen()
    assert len(answer(talk).body) == 100_000


async def test_a_peer_that_leaves_after_its_answer_has_had_it(
    autojump_clock: trio.testing.MockClock,
) -> None:
    for reset in (True, False):
        async with talking(counting) as talk:
            await talk.send(P + b"Content-Length: 9\r\n\r\nabc")
            if reset:
                talk.peer.abort()
            else:
                await talk.peer.send_eof()
            await talk.served.wait()
        assert [r.ending.value for r in talk.records] == ["complete"]
        assert talk.logs == []


async def test_pipelined_requests_before_an_end_are_answered(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with talking(hello) as talk:
        await talk.send(GET + GET)
        await talk.peer.send_eof()
        await talk.farewell()
    assert len(answers(talk)) == 2
    assert len((await say(Served(), GET)).records) == 1
