"""The attacker: the process that carries out one attack, and says how it goes.

``python -m benchmarks.attacker NAME PORT SECONDS PEERS SEED`` prints its tally as a
line of JSON each second, and once more at the end.
"""

from __future__ import annotations

import random
import sys

import trio

from benchmarks.attacks.ground import Ground, Unreachable
from benchmarks.attacks.known import BY_NAME, Attack
from benchmarks.system import raise_descriptors

# Seconds to wait when the system has no more ports to connect from, or the server no
# more room.
PAUSE = 0.1


async def carry_out(attack: Attack, ground: Ground, peers: int) -> None:
    """All peers at once, until the time is up or all connections have been made."""
    left = attack.most

    async def hostile() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            try:
                await attack.peer(ground)
            except Unreachable:
                left += 1
            else:
                continue
            await trio.sleep(PAUSE)

    with trio.CancelScope(deadline=ground.until):
        async with trio.open_nursery() as hostiles:
            for _ in range(peers):
                hostiles.start_soon(hostile)


async def main(name: str, port: int, seconds: float, peers: int, seed: int) -> None:
    """Attack the server at *port*."""
    until = trio.current_time() + seconds
    ground = Ground(port, random.Random(seed), until)
    async with trio.open_nursery() as telling:
        telling.start_soon(_tell, ground)
        await carry_out(BY_NAME[name], ground, peers)
        telling.cancel_scope.cancel(reason="the attack is over")
    print(ground.tally.to_json(), flush=True)


async def _tell(ground: Ground) -> None:
    while True:
        await trio.sleep(1)
        print(ground.tally.to_json(), flush=True)


if __name__ == "__main__":
    raise_descriptors()
    attack, *numbers = sys.argv[1:]
    port, seconds, peers, seed = numbers
    trio.run(main, attack, int(port), float(seconds), int(peers), int(seed))
