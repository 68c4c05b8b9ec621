"""Mixed traffic: peers of every kind at once, most of them harmless, for long."""

from __future__ import annotations

import trio

from benchmarks.attacks import breaking, floods, holding
from benchmarks.attacks.ground import Ground
from benchmarks.attacks.tally import LEFT

# Requests of a harmless peer on one connection, at most.
MOST = 20

# Seconds from one connection of a peer to the next, at most, and of patience with it:
# some are left to the server's deadlines, others go before.
PAUSE = 0.2
PATIENCE = 20.0

_REQUESTS = tuple(
    request + (b"a" * 20_000 if answer == 0 else b"")
    for request, answer in breaking.EXCHANGES
)


async def harmless(ground: Ground) -> None:
    """Some requests on one connection, each read to its end."""
    async with ground.connect() as line:
        for _ in range(ground.chance.randint(1, MOST)):
            await line.send(ground.chance.choice(_REQUESTS))
            # An answer has come when nothing more does for a moment.
            with trio.move_on_after(0.05):
                while await line.receive():
                    pass
            ground.tally.exchanges += 1
        line.ending = LEFT


_KINDS = (
    *[harmless] * 12,
    *[breaking.cut] * 6,
    *[breaking.malformed] * 3,
    floods.connect_close,
    floods.pipelining,
    floods.tiny_chunks,
    floods.many_fields,
    holding.slow_headers,
    holding.slow_bodies,
    holding.slow_readers,
)


async def mixed(ground: Ground) -> None:
    """One connection of a kind that chance decides, and a pause."""
    with trio.move_on_after(ground.chance.uniform(0, PATIENCE)):
        await ground.chance.choice(_KINDS)(ground)
    await trio.sleep(ground.chance.uniform(0, PAUSE))


class Beside:
    """Mixed traffic, beside *idle* connections that ask something now and then."""

    def __init__(self, idle: int) -> None:
        self._wanted = idle

    async def __call__(self, ground: Ground) -> None:
        """One connection of either sort."""
        if not self._wanted:
            await mixed(ground)
            return
        self._wanted -= 1
        try:
            await holding.now_and_then(ground)
        finally:
            self._wanted += 1
