"""Rounds: servers that are measured in turn, and figures that each round has one of."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import trio

from benchmarks.asking import ask
from benchmarks.load import Measurement
from benchmarks.material import Material
from benchmarks.peer import Peer
from benchmarks.programs import Program, started
from benchmarks.serving import LOOK, START, NotServing
from benchmarks.system import cores
from benchmarks.works import Served, Work

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


def ratios(measured: Measured, work: str, peer: str, to: str) -> Spread:
    """The cost of *peer* as a multiple of *to*'s, of each round against itself."""
    pairs = zip(measured[work, peer], measured[work, to], strict=True)
    return Spread.of([one.processor / other.processor for one, other in pairs])


async def start(
    peer: Peer,
    serving: contextlib.AsyncExitStack,
    *,
    served: Served = Served.PLAIN,
    material: Material | None = None,
) -> Running:
    """Start *peer* on the server's core; it ends with *serving*.

    Two workers are on both cores.  NotServing if it does not listen in time.
    """
    port = free_port()
    by_two = served is Served.WORKERS
    tls = material.certificate if material and served is Served.TLS else None
    command = peer.at(port, tls=tls, crew=by_two)
    core: int | None = cores().server
    if by_two:
        core = None
        command = ["taskset", "-c", f"{cores().server},{cores().others}", *command]
    env = material.environment() if material else {**os.environ}
    program = await serving.enter_async_context(started(command, core=core, env=env))
    await listening(peer.name, program, port)
    return Running(peer, program, port)


async def check(
    server: Running, works: Sequence[Work], material: Material | None = None
) -> None:
    """NotServing if *server* does not answer each of *works* as it should."""
    for work in works:
        answer = await ask(server.port, work, material)
        if answer.status != 200 or not work.answered_by(answer.body):
            said = f"{answer.status} {answer.body[:80]!r}, {len(answer.body)} bytes"
            raise NotServing(f"{server.peer.name} answers {work.name} with {said}")


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
