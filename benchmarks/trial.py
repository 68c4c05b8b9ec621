"""A trial: one attack on a server of its own, and all that was seen of it."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

import trio

from benchmarks.attacks.known import Attack
from benchmarks.attacks.tally import Tally
from benchmarks.oracle import MIB, Cost, Figures, Holding, quantile
from benchmarks.programs import Lines, Program, by_module, started
from benchmarks.progress import Progress
from benchmarks.serving import NotServing, get, serving
from benchmarks.system import (
    Usage,
    cores,
    most_resident,
    processor_seconds,
    usage,
    waiting_seconds,
)

APP = Path(__file__).parent / "apps" / "attacked.py"

# Requests before the figures are taken that the others are compared with: whatever is
# loaded or kept at the first of them is not the attack's.
WARM_UP = 50

# Seconds between two looks at the server, and between two times it is asked.
LOOK = 0.25
QUESTION = 1.0

# Seconds between two looks at a server that must not have more than so much memory.
GUARD = 0.005

# How nice attackers are (nice(1)): they share a core with what measures.
YIELDING = 10

# Seconds beyond its time that an attacker gets to end: it may have 2000 connections to
# account for.
OVERTIME = 30.0

# Seconds after an attack in which a server that refused may still refuse.
RELIEF = 1.0

# Seconds in which the server notices that whoever asked it something has gone.
GONE = 1.0


class AttackFailed(Exception):
    """The attacker, not the server, has failed."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What the server held *at* so many seconds from the start."""

    at: float
    usage: Usage
    tasks: int


@dataclass(slots=True)
class Seen:
    """What has been seen so far."""

    began: float = field(default_factory=trio.current_time)
    samples: list[Sample] = field(default_factory=list)
    waits: list[float | None] = field(default_factory=list)
    opening: int = 0  # waits before all peers were there
    during: int = 0  # and before all had gone
    over: bool = False
    tally: Tally = field(default_factory=Tally)
    tasks: int = 0  # as the server last said
    resident: int = 0  # bytes, the most there ever was, where that is guarded

    @property
    def peak(self) -> Usage:
        """The most the server has held of each."""
        return Usage(
            rss=max(self.resident, *(sample.usage.rss for sample in self.samples)),
            descriptors=max(sample.usage.descriptors for sample in self.samples),
            threads=max(sample.usage.threads for sample in self.samples),
        )

    def complete(self, peers: int) -> bool:
        """Whether *peers* have come, and the server has let in all that are there."""
        inside = self.samples[-1].usage.descriptors if self.samples else 0
        return self.tally.opened >= peers and inside >= self.tally.open

    def line(self, name: str) -> str:
        """How it goes, in a line."""
        last = self.samples[-1] if self.samples else None
        recent = sorted(wait for wait in self.waits[-500:] if wait is not None)
        return (
            f"{name:14} {trio.current_time() - self.began:5.0f} s  "
            f"{self.tally.open} open, {self.tally.opened} made  "
            f"canary p99 {quantile(recent, 0.99):.1f} ms  "
            f"{last.usage.rss / 2**20 if last else 0:.0f} MiB"
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """Which attack, on whom, for how long and by how many."""

    attack: Attack
    port: int
    seconds: float
    peers: int
    seed: int

    def command(self) -> list[str]:
        """What carries it out."""
        numbers = (self.port, self.seconds, self.peers, self.seed)
        return by_module("benchmarks.attacker", self.attack.name, *numbers)


@dataclass(frozen=True, slots=True)
class Trial:
    """One attack with its figures, and the samples they were made of."""

    attack: Attack
    figures: Figures
    samples: list[Sample]


async def attempt(
    attack: Attack, progress: Progress, *, seconds: float, peers: int, seed: int
) -> Trial:
    """Try *attack* on a new server, with the canary beside it.

    NotServing if the server cannot be reached any more, AttackFailed if nothing can be
    said of it.
    """
    core = cores().server
    async with serving(APP, core=core, told=attack.told()) as (server, port):
        for _ in range(WARM_UP):
            await get(port, "/")
        before = await held(server, port)
        seen = Seen(tasks=before.tasks)
        plan = Plan(attack, port, seconds, peers, seed)
        try:
            cost = await _attacked(server, plan, seen, progress)
        except ExceptionGroup as group:
            raise AttackFailed(f"{group.exceptions[0]}") from group
        await trio.sleep(GONE)
        figures = Figures(
            before=before,
            peak=seen.peak,
            after=await held(server, port),
            tally=seen.tally,
            waits=seen.waits,
            tracebacks=server.said().count("Traceback"),
            cost=cost,
            opening=seen.opening,
            afterwards=len(seen.waits) - seen.during,
        )
    during = [each for each in seen.samples if each.at < cost.seconds]
    return Trial(attack, figures, during)


async def _attacked(
    server: Program, plan: Plan, seen: Seen, progress: Progress
) -> Cost:
    others = cores().others
    canary = by_module("benchmarks.canary", plan.port)
    worked, waited = processor_seconds(server.pid), waiting_seconds(server.pid)
    async with (
        started(canary, core=others) as singing,
        started(plan.command(), core=others, nice=YIELDING) as attacking,
        trio.open_nursery() as watching,
    ):
        watching.start_soon(_listen, singing, seen, plan)
        if plan.attack.memory:
            watching.start_soon(_guard, server, seen, plan.attack.memory)
        watching.start_soon(_look, server, seen, progress, plan.attack.name)
        watching.start_soon(_question, plan.port, seen)
        await _finished(attacking, seen, plan.seconds)
        cost = Cost(
            seconds=trio.current_time() - seen.began,
            processor=processor_seconds(server.pid) - worked,
            disturbed=waiting_seconds(server.pid) - waited,
        )
        await trio.sleep(RELIEF)
        seen.over = True
        await trio.sleep(plan.attack.settle - RELIEF)
        watching.cancel_scope.cancel(reason="the attack is over")
    return cost


async def held(server: Program, port: int) -> Holding:
    """What the server holds now; it says itself how many tasks it has."""
    said = await _figures(port)
    await trio.sleep(GONE)
    return Holding(usage(server.pid), said["tasks"], said["threads"])


async def _figures(port: int) -> dict[str, int]:
    answer = await get(port, "/figures")
    if answer.status != HTTPStatus.OK:
        raise NotServing(f"no figures but {answer.status}")
    figures: dict[str, int] = json.loads(answer.body)
    return figures


async def _finished(attacker: Program, seen: Seen, seconds: float) -> None:
    with trio.move_on_after(seconds + OVERTIME):
        async for line in Lines(attacker):
            seen.tally = Tally.from_json(line)
        if await attacker.process.wait() == 0:
            return
    raise AttackFailed(f"the attacker failed: {attacker.said()[-2000:]}")


async def _listen(canary: Program, seen: Seen, plan: Plan) -> None:
    opening = during = True
    async for line in Lines(canary):
        seen.waits += json.loads(line)
        # A line is of the second before it, and belongs to how that began.
        if opening:
            seen.opening = len(seen.waits)
        if during:
            seen.during = len(seen.waits)
        opening = opening and not seen.complete(plan.peers)
        during = not seen.over


async def _guard(server: Program, seen: Seen, most: int) -> None:
    """End the server as soon as it has more memory than it may, as the system would."""
    while True:
        seen.resident = most_resident(server.pid)
        if seen.resident > most:
            server.process.kill()
            raise NotServing(f"{seen.resident / MIB:.1f} MiB, of {most / MIB:.0f}")
        await trio.sleep(GUARD)


async def _look(server: Program, seen: Seen, progress: Progress, name: str) -> None:
    while True:
        if server.process.poll() is not None:
            raise NotServing(f"the server has ended: {server.said()[-2000:]}")
        at = trio.current_time() - seen.began
        seen.samples.append(Sample(at, usage(server.pid), seen.tasks))
        progress.show(seen.line(name))
        await trio.sleep(LOOK)


async def _question(port: int, seen: Seen) -> None:
    while True:
        # A server that has no time for this is judged by the canary.
        with contextlib.suppress(NotServing, OSError, trio.BrokenResourceError):
            seen.tasks = (await _figures(port))["tasks"]
        await trio.sleep(QUESTION)
