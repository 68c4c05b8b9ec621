"""Story: one connection from its first byte to its last, with a neighbour beside it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

import trio
import trio.lowlevel

from tests.torture import seeds
from tests.torture.asker import Asker, alive
from tests.torture.faults import Chance, Fault, FaultyTransport
from tests.torture.ground import Ground, Noted, Still
from tests.torture.harms import NOTHING, Harm, Stop, Then
from tests.torture.lines import PLAIN, Line
from tests.torture.scenes import Scene
from tests.wire.talking import End, logged
from trioweb.message.exchange import Exchanged
from trioweb.message.offload import inline, runner
from trioweb.message.transport import Transport
from trioweb.testing.transport import memory_pair
from trioweb.wire import connection
from trioweb.wire.service import Service

Serve = Callable[[Transport, Service], Awaitable[None]]
"""What is tortured: it answers everything that comes on a transport, and closes it."""

# Virtual seconds in which a connection must have ended, whatever is done to it: more
# than its longest waits for a peer, 30 s for a window of HTTP/2 and then 75 s for
# another request, with what it may say then.
BOUND = 120.0

# Virtual seconds between the requests of the neighbour, who would be sent away else.
AGAIN = 20.0

# Scheduler steps of one story: a hundred times what it needs.  Whoever takes more spins
# without time passing, and no clock would end it.
MOST_STEPS = 20_000


@dataclass
class Outcome:
    """All that is known of a story when it is over."""

    scene: Scene
    harm: Harm
    seed: int
    ground: Ground
    records: list[Exchanged]
    logs: list[logging.LogRecord]
    received: bytes = b""
    end: End | None = None
    struck: bool = False  # the harm was done
    over: bool = False  # ... within its bounds
    quiet: bool = False  # and everybody else has had their turn
    escaped: str = ""  # an exception that left the connection
    closed: bool = False
    alive: bool = False  # the neighbour was answered afterwards
    tasks: int = 0  # more than there were before
    idle: int = 0  # connections that are gone and still thought of as idle
    alarms: int = 0  # ... and still to be woken
    steps: int = 0
    trace: str = ""


def tell(
    scene: Scene,
    harm: Harm = NOTHING,
    *,
    seed: int = 0,
    line: Line = PLAIN,
    serve: Serve = connection.serve,
) -> Outcome:
    """Play *scene*, do *harm*, and say what came of it; the same seed, the same.

    Over TLS the steps are the same, and the bytes below it are not.
    """
    steps = seeds.Steps()
    story = _Story(scene, harm, seed=seed, line=line, serve=serve, steps=steps)
    outcome = seeds.run(seed, story.play, instruments=[steps])
    outcome.steps, outcome.trace = steps.count, steps.trace
    return outcome


class _Story:
    def __init__(
        self,
        scene: Scene,
        harm: Harm,
        *,
        seed: int,
        line: Line,
        serve: Serve,
        steps: seeds.Steps,
    ) -> None:
        ground = Ground()
        self.outcome = Outcome(scene, harm, seed, ground, [], [])
        self._harm = harm
        self._line = line
        self._serve = serve
        self._steps = steps
        self._alarms = Noted()
        self._serving = trio.CancelScope()
        self._served = trio.Event()

    async def play(self) -> Outcome:
        outcome = self.outcome
        runner.set(inline)
        service = Service(
            outcome.ground.watched(outcome.scene.handler(outcome.ground)),
            record=self._note,
            date=Still(),
            alarms=self._alarms,
            lane=self._line.lane,
        )
        if isinstance(self._harm.how, Stop | Then):
            self._steps.acts[self._harm.at] = partial(self._act, service)
        with logged() as outcome.logs, trio.CancelScope() as whole:
            self._steps.acts[MOST_STEPS] = whole.cancel
            async with service.running():
                before = trio.lowlevel.current_statistics().tasks_living
                async with trio.open_nursery() as neighbours:
                    outcome.alive = await self._with_neighbour(service, neighbours)
                after = trio.lowlevel.current_statistics().tasks_living
            outcome.tasks = after - before
            outcome.quiet = True
            outcome.idle, outcome.alarms = len(service.idle), self._alarms.held
        return outcome

    async def _with_neighbour(self, service: Service, nursery: trio.Nursery) -> bool:
        near, far = memory_pair()
        nursery.start_soon(connection.serve, far, service)
        answered = await alive(near)
        async with trio.open_nursery() as beside:
            beside.start_soon(self._alone, service)
            while not self._served.is_set():
                with trio.move_on_after(AGAIN):
                    await self._served.wait()
                answered = answered and await alive(near)
        if service.draining.is_set():
            # The neighbour has been let go; who comes now is still answered.
            near, far = memory_pair()
            nursery.start_soon(connection.serve, far, service)
            answered = await alive(near)
        await near.aclose()
        nursery.cancel_scope.deadline = trio.current_time() + BOUND
        return answered

    async def _alone(self, service: Service) -> None:
        """The story itself, while the neighbour asks now and then."""
        outcome, harm = self.outcome, self._harm
        line = self._line
        near, far = memory_pair(buffer=line.room(outcome.scene.room))
        transport = FaultyTransport(
            far,
            fault=harm.how if isinstance(harm.how, Fault) else None,
            at=harm.at,
            cancel=self._serving.cancel,
            chance=Chance(outcome.seed),
        )
        self._asker = asker = Asker(line.near(near), harm)
        self._steps.counting = True
        with trio.move_on_after(BOUND):
            async with trio.open_nursery() as both_ends:
                both_ends.start_soon(self._answer, line.far(transport), service)
                both_ends.start_soon(asker.talk, outcome.scene.sent)
            outcome.over = True
        self._steps.counting = False
        outcome.received, outcome.end = asker.received, asker.end
        outcome.closed = far.closed
        outcome.struck = self._struck(asker, transport)
        self._served.set()

    async def _answer(self, transport: Transport, service: Service) -> None:
        try:
            with self._serving:
                await self._serve(transport, service)
        except Exception as error:  # noqa: BLE001  # what no connection may let out
            self.outcome.escaped = repr(error)

    def _struck(self, asker: Asker, transport: FaultyTransport) -> bool:
        match self._harm.how:
            case None:
                return True
            case Stop() | Then():
                return self._steps.count >= self._harm.at
            case Fault():
                return transport.uses >= self._harm.at
            case _:
                return asker.struck

    def _act(self, service: Service) -> None:
        match self._harm.how:
            case Stop.DRAIN:
                service.drain()
            case Then():
                self._asker.leaving.set()
            case _:
                self._serving.cancel(reason="tortured")

    def _note(self, record: Exchanged) -> None:
        if record.target != "/canary":
            self.outcome.records.append(record)
