"""Comparison: each work by every server in turn, so that noise falls on all alike.

The servers of one work run at a time, and are new for each work: what one has left in
memory is not the next one's, and fifteen of them that have nothing to do are no burden.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from benchmarks import forecast
from benchmarks.forecast import Forecast
from benchmarks.holding import Held, hold
from benchmarks.load import LoadFailed, measure
from benchmarks.material import Material
from benchmarks.peer import Peer
from benchmarks.progress import Progress
from benchmarks.rounds import WARM_UP, Key, Measured, Running, Spread, check, start
from benchmarks.serving import NotServing
from benchmarks.sessions.visitors import first_visits
from benchmarks.works import Hold, Served, Work

# Rounds of connections that are held, at most: memory does not mind what else the
# machine is doing.
HOLDINGS = 3


@dataclass(slots=True)
class Found:
    """All that was found: figures of each round, and who has failed at what, and how.

    Who fails once has no figures of that work.
    """

    loads: Measured = field(default_factory=dict)
    holds: dict[Key, list[Held]] = field(default_factory=dict)
    failures: dict[Key, str] = field(default_factory=dict)


def able(work: Work | Hold, peers: Sequence[Peer]) -> list[Peer]:
    """Those of *peers* that can be asked for *work*."""
    return [peer for peer in peers if work.name in peer.works]


def expected(
    works: Sequence[Work | Hold], peers: Sequence[Peer], rounds: int, seconds: int
) -> Forecast:
    """How long it will take to compare *peers* by *works*."""
    total = 0.0
    for work in works:
        servers = len(able(work, peers))
        if isinstance(work, Hold):
            total += forecast.of_hold(servers, min(rounds, HOLDINGS))
        else:
            total += forecast.of_load(servers, rounds, seconds)
    return Forecast(total)


@dataclass(slots=True)
class Comparison:
    """So many *rounds* of so many *seconds*, and what has been found so far."""

    rounds: int
    seconds: int
    material: Material
    progress: Progress
    left: Forecast
    found: Found = field(default_factory=Found)

    async def of(self, works: Sequence[Work | Hold], peers: Sequence[Peer]) -> Found:
        """What is found of *peers*, by each of *works* that they can be asked for."""
        for work in works:
            its = able(work, peers)
            if isinstance(work, Hold):
                await self._hold(work, its)
            else:
                await self._load(work, its)
            self.progress.keep(self._so_far(work, its))
        return self.found

    async def _load(self, work: Work, peers: Sequence[Peer]) -> None:
        async with contextlib.AsyncExitStack() as serving:
            ready: list[tuple[Running, Work]] = []
            for peer in peers:
                self._show(f"{work.name}: starting {peer.name}")
                with self._noting(work, peer):
                    ready.append(await self._ready(work, peer, serving))
                self.left.add(forecast.START + forecast.WARM_UP)
            for number in range(self.rounds):
                for server, its in ready:
                    if (work.name, server.peer.name) not in self.found.failures:
                        with self._noting(work, server.peer):
                            await self._measure(number, server, its)
                    self.left.add(self.seconds + forecast.BETWEEN)

    async def _ready(
        self, work: Work, peer: Peer, serving: contextlib.AsyncExitStack
    ) -> tuple[Running, Work]:
        server = await start(peer, serving, served=work.served, material=self.material)
        if work.visits:
            cookies = await first_visits(server.port, work.path)
            work = replace(work, cookies=cookies)
        await check(server, [work], self.material)
        await measure(server.program.pid, server.port, work, WARM_UP)
        return server, work

    async def _measure(self, number: int, server: Running, work: Work) -> None:
        name = server.peer.name
        self._show(f"{work.name}, round {number + 1}/{self.rounds}: {name}")
        found = await measure(server.program.pid, server.port, work, self.seconds)
        self.found.loads.setdefault((work.name, name), []).append(found)

    async def _hold(self, work: Hold, peers: Sequence[Peer]) -> None:
        """Each time by a new server: memory that was taken once is not given back."""
        rounds = min(self.rounds, HOLDINGS)
        for number in range(rounds):
            for peer in peers:
                self._show(f"{work.name}, round {number + 1}/{rounds}: {peer.name}")
                if (work.name, peer.name) not in self.found.failures:
                    with self._noting(work, peer):
                        await self._hold_once(work, peer)
                self.left.add(forecast.HOLDING)

    async def _hold_once(self, work: Hold, peer: Peer) -> None:
        trust = self.material.trust if work.served is Served.TLS else None
        async with contextlib.AsyncExitStack() as serving:
            server = await start(
                peer, serving, served=work.served, material=self.material
            )
            held = await hold(server.program.pid, server.port, work, trust)
            self.found.holds.setdefault((work.name, peer.name), []).append(held)

    @contextlib.contextmanager
    def _noting(self, work: Work | Hold, peer: Peer) -> Iterator[None]:
        """A failure is the one server's at the one work; hours of others stay."""
        key = (work.name, peer.name)
        try:
            yield
        except (NotServing, LoadFailed) as error:
            self.found.failures[key] = f"{error}"
            self.found.loads.pop(key, None)
            self.found.holds.pop(key, None)
            self.progress.keep(f"{work.name} by {peer.name} failed: {error}")

    def _show(self, what: str) -> None:
        self.progress.show(f"{self.left}; {what}")

    def _so_far(self, work: Work | Hold, peers: Sequence[Peer]) -> str:
        costs = []
        for peer in peers:
            key = (work.name, peer.name)
            if key in self.found.failures:
                costs.append(f"{peer.name} failed")
            elif isinstance(work, Hold):
                each = Spread.of([held.each for held in self.found.holds[key]])
                costs.append(f"{peer.name} {each.median / 1024:.1f} KiB")
            else:
                cost = Spread.of([load.processor for load in self.found.loads[key]])
                costs.append(f"{peer.name} {cost.median:.1f} µs")
        return f"{work.name}: {', '.join(costs)}"
