"""Rounds: every server with every work in turn, so that noise falls on all alike."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import trio

from benchmarks.load import Measurement, measure
from benchmarks.peers import Peer
from benchmarks.programs import Program, started
from benchmarks.progress import Progress
from benchmarks.serving import LOOK, START, NotServing, ask
from benchmarks.system import cores
from benchmarks.works import Work

# Seconds of load before the first measurement, so that what is compiled or cached at
# first use is.
WARM_UP = 1


@dataclass(frozen=True, slots=True)
class Spread:
    """The middle of some figures, and how far they lie apart."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, figures: Sequence[float]) -> Spread:
        """That of one figure or more."""
        return cls(median(figures), min(figures), max(figures))

    def __format__(self, form: str) -> str:
        return f"{self.median:{form}} ({self.least:{form}}–{self.most:{form}})"


@dataclass(frozen=True, slots=True)
class Running:
    """A peer that serves."""

    peer: Peer
    program: Program
    port: int


Key = tuple[str, str]
"""A work and a peer, by name."""

Measured = dict[Key, list[Measurement]]
"""The measurements of each work and peer, one for each round."""


async def measure_all(
    works: Sequence[Work],
    peers: Sequence[Peer],
    progress: Progress,
    *,
    rounds: int,
    seconds: int,
) -> Measured:
    """All servers at once, of which one is loaded at a time.

    NotServing if one does not start or answers something else than the others.
    """
    measured: Measured = {}
    async with contextlib.AsyncExitStack() as serving:
        running = []
        for peer in peers:
            progress.show(f"installing and starting {peer.name}")
            await peer.install()
            running.append(await start(peer, serving))
            await check(running[-1], works)
        for each in running:
            progress.show(f"warming up {each.peer.name}")
            for work in works:
                await measure(each.program.pid, each.port, work, WARM_UP)
        for number in range(rounds):
            for work in works:
                for each in running:
                    where = f"round {number + 1}/{rounds}: {work.name}"
                    progress.show(f"{where} by {each.peer.name}")
                    found = await measure(each.program.pid, each.port, work, seconds)
                    measured.setdefault((work.name, each.peer.name), []).append(found)
            progress.keep(_so_far(number + 1, measured))
    return measured


def ratios(measured: Measured, work: str, peer: str, to: str) -> Spread:
    """The cost of *peer* as a multiple of *to*'s, of each round against itself."""
    pairs = zip(measured[work, peer], measured[work, to], strict=True)
    return Spread.of([one.processor / other.processor for one, other in pairs])


async def start(peer: Peer, serving: contextlib.AsyncExitStack) -> Running:
    """Start *peer* on the server's core; it ends with *serving*.

    NotServing if it does not listen in time.
    """
    port = free_port()
    program = await serving.enter_async_context(
        started(peer.at(port), core=cores().server, env={**os.environ})
    )
    await listening(peer.name, program, port)
    return Running(peer, program, port)


async def check(server: Running, works: Sequence[Work]) -> None:
    """NotServing if *server* does not answer each of *works* as it should."""
    for work in works:
        answer = await ask(server.port, work.request())
        if answer.status != 200 or not work.answered_by(answer.body):
            raise NotServing(f"{server.peer.name} answers {work.name} with {answer}")


async def listening(name: str, program: Program, port: int) -> None:
    """Wait until *program* listens at *port*; NotServing if it does not in time."""
    with trio.move_on_after(START):
        while True:
            await trio.sleep(LOOK)
            with contextlib.suppress(OSError):
                await (await trio.open_tcp_stream("127.0.0.1", port)).aclose()
                return
            if program.process.poll() is not None:
                break
    raise NotServing(f"{name} did not start: {program.said()}")


def free_port() -> int:
    """A port of 127.0.0.1 at which nobody listens now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def _so_far(number: int, measured: Measured) -> str:
    costs = (
        f"{work} {peer} {found[-1].processor:.1f}"
        for (work, peer), found in measured.items()
    )
    return f"round {number}, µs: {', '.join(costs)}"
