"""The lane of HTTP/2: nobody can tell from an answer whether the library read it."""

from __future__ import annotations

import random

import pytest
import trio
import trio.testing

from tests.wire.h2.heard import said
from tests.wire.h2.test_cases import CASES
from tests.wire.h2.test_cases import handler as waiting
from tests.wire.h2.test_mutations import mutated
from tests.wire.h2.written import LAST_OF_BLOCK, get, head, pack, settings
from tests.wire.handlers import probe
from tests.wire.talking import talking
from trioweb.message.handler import Handler
from trioweb.message.request import Request
from trioweb.message.response import Response
from trioweb.rules.headers import Headers
from trioweb.wire.h2_codes import PREFACE, Kind, frame
from trioweb.wire.h2_gate import FRAME

BEGIN = PREFACE + settings()


async def answers(handler: Handler, *sent: bytes, lane: bool) -> list[str]:
    """What is said to *sent*, in no order: streams are answered when they are ready."""
    async with talking(handler, lane=lane) as talk:
        await talk.send(*sent)
        await talk.peer.send_eof()
        await trio.sleep(1)
        talk.peer.abort()
        await talk.served.wait()
    assert talk.logs == []
    return sorted(said(talk.received))


async def test_what_the_rfc_requires_is_done_without_it(
    autojump_clock: trio.testing.MockClock,
) -> None:
    for case in CASES:
        sent = PREFACE + case.greeting + case.sent
        with_it = await answers(waiting, sent, lane=True)
        assert with_it == await answers(waiting, sent, lane=False), case.name


@pytest.mark.parametrize("seed", range(100, 104))
async def test_faults_at_random_have_the_same_answers(
    seed: int, autojump_clock: trio.testing.MockClock
) -> None:
    chance = random.Random(seed)
    for _ in range(50):
        sent = mutated(chance)
        cut = chance.randrange(len(sent))
        with_it = await answers(probe, sent[:cut], sent[cut:], lane=True)
        without = await answers(probe, sent[:cut], sent[cut:], lane=False)
        assert with_it == without, sent.hex()


@pytest.mark.parametrize("lane", [True, False], ids=["lane", "library"])
async def test_a_head_of_our_own_may_be_larger_than_a_frame(
    lane: bool,
    autojump_clock: trio.testing.MockClock,
) -> None:
    # Huffman's code has eight bits of "&" and thirteen of "$".
    large = Headers([(f"x-{number}", "$" * 5000) for number in range(9)])

    async def handler(request: Request) -> Response:
        return Response(200, large.copy(), b"ok")

    async with talking(handler, lane=lane) as talk:
        await talk.send(BEGIN + get(1) + get(3))
        received = talk.received
    kinds = [received[at + 3] for at in starts(received)]
    assert kinds.count(Kind.CONTINUATION) >= 4
    assert kinds.count(Kind.HEADERS) == 2


def starts(received: bytes) -> list[int]:
    """Where each frame begins, none of them larger than it may be."""
    at, found = 0, list[int]()
    while at < len(received):
        found.append(at)
        size = int.from_bytes(received[at : at + 3], "big")
        assert size <= FRAME
        at += 9 + size
    return found


@pytest.mark.parametrize("lane", [True, False], ids=["lane", "library"])
@pytest.mark.parametrize(
    ("flags", "begin", "answer"),
    [
        (0x25, b"\x80\0\0\x05\x10", "1: 200 hello /"),  # as Chromium has it
        (0x25, b"\x80\0\0\x01\x10", "GOAWAY 1 PROTOCOL_ERROR"),
        (0x2D, b"\x01\x80\0\0\x05\x10", "1: 200 hello /"),
    ],
    ids=["priority", "of itself", "padded"],
)
async def test_m7_a_head_with_a_priority(
    flags: int,
    begin: bytes,
    answer: str,
    lane: bool,
    autojump_clock: trio.testing.MockClock,
) -> None:
    tail = b"\0" if flags & 8 else b""
    one = frame(Kind.HEADERS, 1, begin + head() + tail, flags)

    async def hello(request: Request) -> Response:
        return Response(200, body=b"hello " + request.path.encode())

    assert answer in await answers(hello, BEGIN + one, lane=lane)


@pytest.mark.parametrize("lane", [True, False], ids=["lane", "library"])
async def test_streams_that_are_over_are_forgotten_and_still_closed(
    lane: bool,
    autojump_clock: trio.testing.MockClock,
) -> None:
    many = b"".join(get(number) for number in range(1, 199, 2))
    late = frame(Kind.HEADERS, 5, pack([(b"x", b"1")]), 1 | LAST_OF_BLOCK)
    lines = await answers(waiting, BEGIN + many, late, lane=lane)
    assert {f"{number}: 200 ok" for number in range(1, 199, 2)} < set(lines)
    assert "GOAWAY 197 STREAM_CLOSED" in lines
