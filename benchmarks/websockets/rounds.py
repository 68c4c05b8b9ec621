"""Rounds of WebSockets: every server with every kind of message in turn."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trio

from benchmarks.load import LoadFailed
from benchmarks.peer import Peer
from benchmarks.programs import Lines, by_module, started
from benchmarks.progress import Progress
from benchmarks.rounds import Running, Spread, start
from benchmarks.system import cores
from benchmarks.websockets.peers import TRIOWEB

# Seconds that a pump may take longer than it was told.
_OVERTIME = 60


@dataclass(frozen=True, slots=True)
class Message:
    """A message by its size in bytes, and on how many connections it goes."""

    name: str
    size: int
    connections: int


# As many connections as for requests; fewer of what has to be held as a whole.
MESSAGES = (
    Message("125 B", 125, 64),
    Message("16 KiB", 16 * 1024, 64),
    Message("1 MiB", 1024 * 1024, 8),
)

Found = Mapping[str, float]
"""What a pump says of one echo: processor (µs), rate, p50 and p99 (ms), rss (bytes)."""


@dataclass(slots=True)
class Measured:
    """All that was found, by the name of the server."""

    echoes: dict[tuple[str, str], list[Found]] = field(default_factory=dict)
    held: dict[str, float] = field(default_factory=dict)  # bytes for an idle one
    casts: dict[str, list[float]] = field(default_factory=dict)  # ms to the last

    def spread(self, message: str, peer: str, figure: str) -> Spread:
        """A *figure* of the echoes of *message*, over the rounds."""
        return Spread.of([found[figure] for found in self.echoes[message, peer]])

    def ratio(self, message: str, peer: str) -> Spread:
        """What trioweb's cost is of *peer*'s, each round against itself."""
        ours = self.echoes[message, TRIOWEB.name]
        pairs = zip(ours, self.echoes[message, peer], strict=True)
        return Spread.of([one["processor"] / it["processor"] for one, it in pairs])


async def measure_all(
    peers: Sequence[Peer],
    progress: Progress,
    *,
    rounds: int,
    seconds: float,
    members: int,
) -> Measured:
    """All servers at once, of which one is asked at a time.

    *members* are in the room, and idle at first.  NotServing or LoadFailed if a server
    does not do as it should.
    """
    measured = Measured()
    async with contextlib.AsyncExitStack() as serving:
        running = []
        for peer in peers:
            progress.show(f"installing and starting {peer.name}")
            await peer.install()
            running.append(await start(peer, serving))
        for server in running:
            progress.show(f"{members} idle WebSockets at {server.peer.name}")
            held = await _pump("idle", server, members, 125, 0)
            measured.held[server.peer.name] = held["held"]
            for message in MESSAGES:
                await _echo(server, message, min(seconds, 0.5))
        for number in range(rounds):
            for server in running:
                progress.show(f"round {number + 1}/{rounds}: {server.peer.name}")
                await _round(server, measured, seconds, members)
            progress.keep(_so_far(number + 1, measured))
    return measured


async def _round(
    server: Running, measured: Measured, seconds: float, members: int
) -> None:
    name = server.peer.name
    for message in MESSAGES:
        found = await _echo(server, message, seconds)
        measured.echoes.setdefault((message.name, name), []).append(found)
    cast = await _pump("cast", server, members, 125, seconds)
    measured.casts.setdefault(name, []).extend(cast["last"])


async def shares(message: Message, seconds: float) -> Counter[str]:
    """In whose code trioweb is while it echoes *message*; counts."""
    with tempfile.TemporaryDirectory(prefix="trioweb-benchmark-") as place:
        file = Path(place) / "shares"
        command = ("env", f"SHARES={file}", *TRIOWEB.command)
        sampled = Peer(name="trioweb", command=command, version=TRIOWEB.version)
        async with contextlib.AsyncExitStack() as serving:
            await _echo(await start(sampled, serving), message, seconds)
        return Counter(json.loads(file.read_text()))


async def _echo(server: Running, message: Message, seconds: float) -> Found:
    return await _pump("echo", server, message.connections, message.size, seconds)


async def _pump(
    what: str, server: Running, connections: int, size: int, seconds: float
) -> dict[str, Any]:
    pid = server.program.pid
    command = by_module("benchmarks.websockets.pump", what, server.port, pid)
    command += map(str, (connections, size, seconds))
    async with started(command, core=cores().others) as pump:
        with trio.move_on_after(seconds + _OVERTIME):
            async for line in Lines(pump):
                return dict(json.loads(line))
        said = pump.said().splitlines()[-1:]
    raise LoadFailed(f"{what} of {size} bytes by {server.peer.name}: {said}")


def _so_far(number: int, measured: Measured) -> str:
    costs = (
        f"{message} {peer} {found[-1]['processor']:.1f}"
        for (message, peer), found in measured.echoes.items()
    )
    return f"round {number}, µs: {', '.join(costs)}"
