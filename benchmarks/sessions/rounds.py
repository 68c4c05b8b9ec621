"""Rounds of sessions: each server without, with a load, with a load and a save."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from benchmarks.load import measure
from benchmarks.peer import Peer
from benchmarks.progress import Progress
from benchmarks.rounds import WARM_UP, Measured, Spread, check, start
from benchmarks.sessions.visitors import works


async def measure_all(
    peers: Sequence[Peer], progress: Progress, *, rounds: int, seconds: int
) -> Measured:
    """All servers at once, of which one is loaded at a time.

    Its works follow each other, for it is their difference that counts.  NotServing if
    one does not start or forgets a visitor.
    """
    measured: Measured = {}
    async with contextlib.AsyncExitStack() as serving:
        asked = []
        for peer in peers:
            progress.show(f"installing and starting {peer.name}")
            await peer.install()
            server = await start(peer, serving)
            asked.append((server, await works(server.port)))
        for server, its in asked:
            progress.show(f"warming up {server.peer.name}")
            await check(server, its)
            for work in its:
                await measure(server.program.pid, server.port, work, WARM_UP)
        for number in range(rounds):
            for server, its in asked:
                name = server.peer.name
                progress.show(f"round {number + 1}/{rounds}: {name}")
                for work in its:
                    found = await measure(
                        server.program.pid, server.port, work, seconds
                    )
                    measured.setdefault((work.name, name), []).append(found)
            progress.keep(_so_far(number + 1, peers, measured))
        for server, its in asked:
            await check(server, its)
    return measured


def added(measured: Measured, work: str, peer: str) -> Spread:
    """CPU µs that *work* costs more than no session, of each round against itself."""
    pairs = zip(measured[work, peer], measured["none", peer], strict=True)
    return Spread.of([with_.processor - without.processor for with_, without in pairs])


def _so_far(number: int, peers: Sequence[Peer], measured: Measured) -> str:
    costs = []
    for peer in peers:
        none, load, save = (
            measured[work, peer.name][-1].processor for work in ("none", "load", "save")
        )
        costs.append(f"{peer.name} {none:.1f} {load - none:+.1f} {save - none:+.1f}")
    return f"round {number}, µs: {', '.join(costs)}"
