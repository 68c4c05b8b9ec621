"""Attacks that break: exchanges cut anywhere, and requests bent out of shape."""

from __future__ import annotations

import random

import trio

from benchmarks.attacks.ground import Ground, Line
from benchmarks.attacks.tally import LEFT

# Seconds to wait for bytes of an answer, before leaving all the same.
PATIENCE = 2.0

# Exchanges of every kind: a request, and bytes of its answer, roughly.
EXCHANGES = (
    (b"GET / HTTP/1.1\r\nhost: a\r\n\r\n", 200),
    (b"GET /stream HTTP/1.1\r\nhost: a\r\n\r\n", 65_000),
    (b"GET /file HTTP/1.1\r\nhost: a\r\n\r\n", 100_000),
    (b"POST /upload HTTP/1.1\r\nhost: a\r\ncontent-length: 20000\r\n\r\n", 0),
    (
        b"POST /upload HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"
        b"7d0\r\n" + b"a" * 2000 + b"\r\n0\r\n\r\n",
        200,
    ),
)

# What a mutation puts in the place of something else.
_NASTY = (
    b"\r\n", b"\n", b"\r", b"\0", b" ", b"\t", b":", b",", b";", b"\xff", b"\x7f",
    b"content-length: 5\r\n", b"transfer-encoding: chunked\r\n", b"host: b\r\n",
    b"HTTP/9.9", b"%", b"%00", b"#", b"\\", b"-1", b"0x10", b"f" * 20, b"a" * 300,
)  # fmt: skip

# Seconds in which a server has answered and closed, once it knows that no more comes.
_DONE = 5.0


async def cut(ground: Ground) -> None:
    """A request or its answer, left at a random byte: in order, or by a reset."""
    request, answer = ground.chance.choice(EXCHANGES)
    request += b"a" * 20_000 if answer == 0 else b""
    at = ground.chance.randrange(len(request) + answer)
    by_reset = ground.chance.random() < 0.7
    async with ground.connect() as line:
        await line.send(request[:at])
        line.ending = LEFT
        if at > len(request):
            await _take(line, at - len(request))
        if by_reset:
            line.abort()


async def _take(line: Line, most: int) -> None:
    with trio.move_on_after(PATIENCE):
        while True:
            piece = await line.receive(most)
            most -= len(piece)
            if not piece or not most:
                return


async def malformed(ground: Ground) -> None:
    """A request with one to three faults in it, and no more bytes after it."""
    request, _ = ground.chance.choice(EXCHANGES)
    for _ in range(ground.chance.randint(1, 3)):
        request = mutated(request, ground.chance)
    async with ground.connect() as line:
        await line.send(request)
        line.finish()
        await line.ended(_DONE)


def mutated(request: bytes, chance: random.Random) -> bytes:
    """*request* with something added, taken away, doubled or changed in its head."""
    # A fault behind the head would mostly be one in content, which is none.
    at = chance.randrange(min(len(request), 100))
    end = at + chance.randint(1, 10)
    match chance.randrange(4):
        case 0:
            return request[:at] + chance.choice(_NASTY) + request[at:]
        case 1:
            return request[:at] + request[end:]
        case 2:
            return request[:end] + request[at:]
        case _:
            return request[:at] + bytes([chance.randrange(256)]) + request[at + 1 :]
