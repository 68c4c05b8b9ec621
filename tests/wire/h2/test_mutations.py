"""A thousand connections gone wrong: none of them costs more than itself."""

from __future__ import annotations

import os
import random

import pytest
import trio
import trio.testing

from tests.wire.h2.heard import frames_of
from tests.wire.h2.written import (
    END,
    PADDED,
    PING,
    data,
    get,
    post,
    rst,
    settings,
    trailers,
    window,
)
from tests.wire.handlers import GET, hello, probe
from tests.wire.talking import answer, talking
from trioweb.wire.h2_codes import PREFACE, Code, Kind, Setting, frame, goaway

# Connections of each seed; TESTS_LONG asks for many times as many.
CONNECTIONS = 5000 if os.environ.get("TESTS_LONG") else 100

ACK = frame(Kind.SETTINGS, 0, b"", 1)
BEGIN = PREFACE + settings() + ACK
VALID = [
    get(1) + get(3, path=b"/count"),
    post(1, path=b"/echo") + data(1, b"hello") + PADDED + data(1, b" world", END),
    post(1, (b"content-length", b"5"), path=b"/text") + data(1, b"hello", END),
    post(1, path=b"/echo") + data(1, b"a") + trailers(1, (b"x-sum", b"1")),
    get(1, (b"cookie", b"a=1"), (b"cookie", b"b=2")) + window(1, 9) + window(0, 9),
    post(1, path=b"/echo") + rst(1) + get(3) + PING + get(5),
    settings((Setting.INITIAL_WINDOW_SIZE, 3)) + get(1) + window(1, 1) + window(1, 99),
    settings((Setting.HEADER_TABLE_SIZE, 0)) + get(1) + goaway(0, Code.NO_ERROR),
]
SPICE = [
    b"\0",
    b"\xff",
    b"\0\0\0",
    b"\x80",
    b"\xbe",
    PING,
    rst(3),
    data(1),
    data(3, b"a", END),
    window(1, 0),
    get(7),
    settings((Setting.MAX_FRAME_SIZE, 1)),
    frame(Kind.CONTINUATION, 1, b"", 4),
    bytes(9),
]


def mutated(chance: random.Random) -> bytes:
    """Some of what is valid, with one to three faults behind the preface."""
    sent = bytearray(b"".join(chance.choices(VALID, k=chance.randint(1, 2))))
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(sent))
        match chance.randrange(4):
            case 0:
                sent[at:at] = chance.choice(SPICE)
            case 1:
                sent[at] = chance.randrange(256)
            case 2:
                del sent[at : at + chance.randint(1, 12)]
            case _:
                sent[at:at] = sent[at : at + chance.randint(1, 40)]
    return BEGIN + bytes(sent)


@pytest.mark.parametrize("seed", range(10))
async def test_faults_at_random_cost_their_connection_at_most(
    seed: int, autojump_clock: trio.testing.MockClock
) -> None:
    chance = random.Random(seed)
    before = trio.lowlevel.current_statistics().tasks_living
    for _ in range(CONNECTIONS):
        sent = mutated(chance)
        async with talking(probe) as talk:
            cut = chance.randrange(len(sent))
            await talk.send(sent[:cut], sent[cut:])
            await talk.peer.send_eof()
            await talk.farewell()
        assert talk.logs == [], sent.hex()
        # What is said is said in whole frames, or broken off.
        kinds = [kind for kind, *_ in frames_of(talk.received)]
        assert kinds[0] == Kind.SETTINGS
        assert kinds.count(Kind.GOAWAY) <= 3
        sizes = sum(9 + len(payload) for *_, payload in frames_of(talk.received))
        assert sizes == len(talk.received), sent.hex()
    assert trio.lowlevel.current_statistics().tasks_living == before
    async with talking(hello) as talk:
        await talk.send(GET)
        assert answer(talk).complete
