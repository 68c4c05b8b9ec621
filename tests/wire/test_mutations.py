"""A thousand requests gone wrong: the server answers the next connection."""

from __future__ import annotations

import contextlib
import random

import pytest
import trio
import trio.testing

from tests.wire.handlers import GET, probe
from tests.wire.talking import answer, say, talking

VALID = [
    b"GET /a%20b?c=d HTTP/1.1\r\nHost: a\r\nAccept: */*\r\nCookie: a=1; b=2\r\n\r\n",
    b"POST /text HTTP/1.1\r\nHost: a:80\r\nContent-Length: 11\r\n\r\nhello world",
    (
        b"PUT /echo HTTP/1.1\r\nHost: [::1]\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nX-Sum: 1\r\n\r\n"
    ),
    b"HEAD http://a/count HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    (
        b"POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
        b"Content-Length: 2\r\n\r\nhi"
    ),
    b"GET /count HTTP/1.0\r\n\r\n",
]
SPICE = [
    b"\r\n",
    b"\r",
    b"\n",
    b"\0",
    b" ",
    b":",
    b"0",
    b"f",
    b"\xff",
    b"%",
    b"\r\n\r\n",
]
SPICE += [b"Transfer-Encoding: chunked\r\n", b"Content-Length: 3\r\n", b"Host: b\r\n"]


def mutated(chance: random.Random) -> bytes:
    data = bytearray(b"".join(chance.choices(VALID, k=chance.randint(1, 3))))
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(5):
            case 0:
                data[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del data[at : at + chance.randint(1, 9)]
            case 2:
                data[at:at] = chance.choice(SPICE)
            case 3:
                data[at:at] = data[at : at + chance.randint(1, 30)]
            case 4:
                del data[at:]
    return bytes(data)


@pytest.mark.parametrize("hundred", range(10))
async def test_whatever_came_the_next_connection_is_answered(
    hundred: int, autojump_clock: trio.testing.MockClock
) -> None:
    for seed in range(hundred * 100, hundred * 100 + 100):
        chance = random.Random(seed)
        data = mutated(chance)
        cut = chance.randrange(len(data) + 1)
        async with talking(probe) as talk:
            await talk.send(data[:cut], data[cut:])
            with contextlib.suppress(trio.BrokenResourceError):
                await talk.peer.send_eof()
            await talk.farewell()
        about = f"seed {seed}: {data!r}"
        # Nothing of this is our own failure.
        assert [record.getMessage() for record in talk.logs] == [], about
        assert not talk.service.idle, about
        assert answer(await say(probe, GET)).body == b"hello /", about
