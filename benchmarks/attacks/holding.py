"""Attacks that hold: many peers, each of which keeps a connection by being slow."""

from __future__ import annotations

import trio

from benchmarks.attacks.ground import Ground, Line
from benchmarks.attacks.tally import LEFT

# Seconds between two bytes of a slow peer: more often than any wait for the next byte
# alone would end, which is why such waits do not help.
PACE = 4.0

# Bytes of the receive buffer of a peer that does not read; the kernel doubles it.
NARROW = 4096

# Seconds between two looks at whether the server has had enough.
LOOK = 0.5

# Seconds before the end at which an idle peer asks again.
LAST = 3.0

# Seconds between two requests of a peer that asks now and then, on average; twice as
# many are less than a server lets a connection be idle.
BETWEEN = 30.0

_GET = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
_END = b"hello"


async def slow_headers(ground: Ground) -> None:
    """A head that grows by a byte now and then, and never ends."""
    async with ground.connect(to_stay=True) as line:
        await line.send(b"GET / HTTP/1.1\r\nhost: a\r\nx: ")
        while not await line.ended(PACE):
            await line.send(b"a")


async def silent(ground: Ground) -> None:
    """Nothing at all."""
    async with ground.connect(to_stay=True) as line:
        while not await line.ended(PACE):
            pass


async def slow_bodies(ground: Ground) -> None:
    """A body of 1000 bytes, one at a time."""
    async with ground.connect(to_stay=True) as line:
        await line.send(
            b"POST /upload HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n"
        )
        while not await line.ended(PACE):
            await line.send(b"a")


async def slow_readers(ground: Ground) -> None:
    """A large body asked for and not read."""
    async with ground.connect(receive_buffer=NARROW, to_stay=True) as line:
        await line.send(b"GET /large HTTP/1.1\r\nhost: a\r\n\r\n")
        # Reading is what would tell us, and what we do not do.
        while line.stands():  # noqa: ASYNC110
            await trio.sleep(LOOK)


async def idle(ground: Ground) -> None:
    """One request, silence, and one more request at the end."""
    async with ground.connect(to_stay=True) as line:
        await _exchange(ground, line)
        await trio.sleep_until(ground.until - LAST)
        await _exchange(ground, line)
        line.ending = LEFT
        await trio.sleep_forever()


async def now_and_then(ground: Ground) -> None:
    """A request now and then, to the end."""
    async with ground.connect(to_stay=True) as line:
        while True:
            await _exchange(ground, line)
            await trio.sleep(ground.chance.uniform(0, 2 * BETWEEN))


async def _exchange(ground: Ground, line: Line) -> None:
    await line.send(_GET)
    answer = b""
    while not answer.endswith(_END):
        piece = await line.receive()
        if not piece:
            raise ConnectionResetError("closed in the middle of an answer")
        answer += piece
    ground.tally.exchanges += 1
