"""Floods: how soon each is over, and that nobody beside it is hurt (RFC 9113 10.5)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import trio
import trio.testing

from tests.wire.h2.heard import said
from tests.wire.h2.written import (
    PING,
    PRIORITY,
    UNKNOWN,
    data,
    get,
    post,
    rst,
    settings,
    window,
)
from tests.wire.handlers import GET, hello
from tests.wire.talking import End, answer, talking
from trioweb.message.request import Request
from trioweb.message.response import Response
from trioweb.wire.h2_codes import PREFACE, Code
from trioweb.wire.limits import STREAMS

CALM = Code.ENHANCE_YOUR_CALM
BEGIN = PREFACE + settings()


class Slow:
    """A handler that never answers; and how many of it there were at once."""

    def __init__(self) -> None:
        self.alive = 0
        self.most = 0

    async def __call__(self, request: Request) -> Response:
        self.alive += 1
        self.most = max(self.most, self.alive)
        try:
            await trio.sleep_forever()
        finally:
            self.alive -= 1


@dataclass
class Flooded:
    """What became of a flood."""

    said: list[str]
    last: int  # the last stream of which the server has heard
    code: str
    most: int  # handlers at once


async def flooded(flood: bytes) -> Flooded:
    """Send it all at once, beside somebody who only wants an answer."""
    handler = Slow()
    async with talking(handler) as talk, talking(hello) as bystander:
        await talk.send(BEGIN)
        start = time.process_time()
        async with trio.open_nursery() as both:
            both.start_soon(talk.send, flood)
            both.start_soon(bystander.send, GET)
        assert answer(bystander).complete
        await talk.farewell()
        # A processor's second for what would take dozens of them.
        assert time.process_time() - start < 1.5
        assert handler.alive == 0
        assert talk.end is End.FIN
        assert not talk.logs
    lines = said(talk.received)
    name, last, code = lines[-1].split()
    assert name == "GOAWAY"
    return Flooded(lines, int(last), code, handler.most)


def opened(flood: Flooded) -> int:
    """How many streams the server took up before it had enough."""
    return (flood.last + 1) // 2


# What begins a stream and makes us or its peer reset it.
RESETS: list[tuple[str, Callable[[int], bytes]]] = [
    ("M1 rapid reset", lambda stream: get(stream) + rst(stream)),
    ("M1 rapid reset of uploads", lambda stream: post(stream) + rst(stream)),
    ("M2 a window too large", lambda stream: get(stream) + window(stream, 2**31 - 1)),
    ("M2 a window opened by nothing", lambda stream: get(stream) + window(stream, 0)),
    ("M2 content behind the end", lambda stream: get(stream) + data(stream, b"a")),
    ("M2 a head behind the end", lambda stream: get(stream) + get(stream)),
    ("M2 a malformed head", lambda stream: get(stream, (b"X", b""))),
    (
        "M2 content of another length",
        lambda stream: post(stream, (b"content-length", b"1")) + data(stream, b"ab"),
    ),
    (
        "M2 a head that declares content and ends",
        lambda stream: get(stream, (b"content-length", b"1")),
    ),
]


@pytest.mark.parametrize(
    "one", [case[1] for case in RESETS], ids=[case[0] for case in RESETS]
)
async def test_streams_opened_to_be_reset(
    one: Callable[[int], bytes], autojump_clock: trio.testing.MockClock
) -> None:
    flood = await flooded(b"".join(one(2 * number + 1) for number in range(3000)))
    assert flood.code == CALM.name
    assert 200 <= opened(flood) <= 250
    assert flood.most <= STREAMS


async def test_m10_streams_beyond_the_limit_are_refused_until_it_is_a_flood(
    autojump_clock: trio.testing.MockClock,
) -> None:
    flood = await flooded(b"".join(get(2 * number + 1) for number in range(3000)))
    refused = [line for line in flood.said if line.endswith("RST REFUSED_STREAM")]
    assert flood.code == CALM.name
    assert 200 <= len(refused) <= 210
    assert opened(flood) <= STREAMS + 211
    assert flood.most == STREAMS


# id, one frame, how many are sent, and how many answers of a kind are the most
FRAMES = [
    ("M5 PING", PING, 50_000, "PING ack", 100),
    ("M5 SETTINGS", settings((1, 4096)), 5000, "SETTINGS ack", 25),
    ("M6 empty DATA", post(1) + data(1) * 20_000, 1, "", 0),
    ("M6 DATA of one byte", post(1) + data(1, b"a") * 20_000, 1, "", 0),
    ("M6 DATA of padding", post(1) + data(1, b"\x01\0", 8) * 20_000, 1, "", 0),
    ("M7 PRIORITY", PRIORITY, 20_000, "", 0),
    ("M8 WINDOW_UPDATE", window(0, 1), 50_000, "", 0),
    ("M8 WINDOW_UPDATE of a stream", get(1) + window(1, 1) * 50_000, 1, "", 0),
    ("M8 unknown frames", UNKNOWN, 20_000, "", 0),
]


@pytest.mark.parametrize(
    ("flood", "answer", "most"),
    [(one * times, said, most) for _, one, times, said, most in FRAMES],
    ids=[case[0] for case in FRAMES],
)
async def test_frames_that_ask_for_nothing(
    flood: bytes, answer: str, most: int, autojump_clock: trio.testing.MockClock
) -> None:
    over = await flooded(flood)
    assert over.code == CALM.name
    if answer:
        answers = [line for line in over.said if line.startswith(answer)]
        assert 0 < len(answers) <= most


async def test_m5_answers_that_are_not_read_end_the_connection(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with (
        talking(hello, buffer=100, listen=False) as talk,
        trio.open_nursery() as sending,
    ):
        sending.start_soon(talk.send, BEGIN + PING * 50_000)
        with trio.fail_after(60):
            await talk.served.wait()
        sending.cancel_scope.cancel()


async def test_m3_a_block_that_does_not_end_is_a_flood(
    autojump_clock: trio.testing.MockClock,
) -> None:
    more = (b"\0\0\0\x09\0\0\0\0\1") * 50_000
    flood = await flooded(get(1)[:4] + b"\x01" + get(1)[5:] + more)
    assert (flood.code, flood.last, flood.most) == (CALM.name, 0, 0)


async def test_m1_a_browser_that_resets_some_streams_is_answered(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with talking(hello) as talk:
        await talk.send(BEGIN)
        for number in range(100):
            await talk.send(get(2 * number + 1) + rst(2 * number + 1))
            await trio.sleep(0.1)
        await talk.send(get(201))
        assert "201: 200 hello /" in said(talk.received)


async def test_m1_a_stream_that_is_reset_in_one_packet_reaches_no_handler(
    autojump_clock: trio.testing.MockClock,
) -> None:
    handler = Slow()
    async with talking(handler) as talk:
        await talk.send(BEGIN + b"".join(get(n) + rst(n) for n in range(1, 61, 2)))
        assert handler.most == 0
        await talk.send(get(101))
        assert handler.most == 1
    assert len(talk.records) == 1
