"""The plan under any order of events: it never wedges, and somebody serves on."""

from __future__ import annotations

import logging

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from trioweb.run.cluster.actions import (
    Action,
    Cancel,
    Drain,
    Dump,
    Finish,
    Hush,
    Kill,
    Listen,
    Spawn,
    Tell,
    Terminate,
)
from trioweb.run.cluster.members import Policy, State
from trioweb.run.cluster.placing import SHARED
from trioweb.run.cluster.plan import Plan
from trioweb.run.recycling import Recycling

# Any of the workers there are, by its place among them.
WORKERS = st.integers(0, 7)
SIZES = st.integers(1, 4)


class Processes(RuleBasedStateMachine):
    """Pretended workers which do what a worker may do, and what they are told."""

    def __init__(self) -> None:
        super().__init__()
        self.plan = Plan(
            2,
            sockets=2,
            policy=Policy(recycling=Recycling(requests=10)),
            chance=lambda: 0.5,
        )
        self.sockets = 2
        self.now = 0.0
        self.alive: dict[int, bool] = {}  # whether it is ready
        self.told: set[int] = set()  # to end
        self.accepts: dict[int, set[int]] = {}
        self.finished: int | None = None
        self.stopped = False
        self.obey(self.plan.begin(self.now))

    def obey(self, actions: list[Action]) -> None:  # noqa: C901  # one case each
        for action in actions:
            match action:
                case Spawn(worker):
                    assert not self.stopped
                    assert worker not in self.alive
                    self.alive[worker] = False
                    self.accepts[worker] = set()
                case Listen(worker, sockets):
                    assert self.alive[worker]
                    assert not self.accepts[worker] & sockets
                    self.accepts[worker] |= sockets
                case Hush(worker, sockets):
                    assert self.accepts[worker] >= sockets
                    self.accepts[worker] -= sockets
                case Drain(worker, last):
                    self.accepts[worker].clear()
                    self.told.add(worker)
                    assert last == self.stopped
                    if not last:
                        assert any(
                            self.accepts[other]
                            for other, ready in self.alive.items()
                            if ready and other not in self.told
                        ), "nobody serves"
                case Terminate(worker) | Cancel(worker) | Dump(worker) | Kill(worker):
                    self.accepts[worker].clear()
                    self.told.add(worker)
                case Tell(logging.CRITICAL):  # it has given up
                    self.stopped = True
                case Finish(code):
                    assert self.finished is None
                    self.finished = code

    def one(self, chosen: int, *, ready: bool | None = None) -> int | None:
        found = [w for w, is_ready in self.alive.items() if ready in {None, is_ready}]
        return found[chosen % len(found)] if found else None

    @rule(chosen=WORKERS)
    def becomes_ready(self, chosen: int) -> None:
        worker = self.one(chosen, ready=False)
        if worker is not None:
            self.alive[worker] = True
            self.obey(self.plan.ready(worker, self.now))

    @rule(chosen=WORKERS, code=st.sampled_from([0, 1, -9, -15]))
    def ends(self, chosen: int, code: int) -> None:
        worker = self.one(chosen)
        if worker is not None:
            self.gone(worker, code)

    def gone(self, worker: int, code: int) -> None:
        del self.alive[worker], self.accepts[worker]
        self.told.discard(worker)
        self.obey(self.plan.ended(worker, self.now, code))

    @rule(chosen=WORKERS)
    def who_was_told_ends(self, chosen: int) -> None:
        if self.told:
            told = sorted(self.told)
            self.gone(told[chosen % len(told)], 0)

    @rule(chosen=WORKERS, hopeless=st.booleans())
    def says_why_it_cannot_start(self, chosen: int, hopeless: bool) -> None:
        worker = self.one(chosen, ready=False)
        if worker is not None:
            self.obey(self.plan.failed(worker, self.now, "no", hopeless=hopeless))

    @rule(chosen=WORKERS, requests=st.integers(0, 20))
    def beats(self, chosen: int, requests: int) -> None:
        worker = self.one(chosen, ready=True)
        if worker is not None:
            self.obey(self.plan.beat(worker, self.now, requests=requests))

    @rule(chosen=WORKERS)
    def is_told_by_others_to_stop(self, chosen: int) -> None:
        worker = self.one(chosen, ready=True)
        if worker is not None and worker not in self.told:
            self.accepts[worker].clear()
            self.told.add(worker)
            self.obey(self.plan.parting(worker, self.now))

    @rule()
    def reload(self) -> None:
        self.obey(self.plan.reload(self.now))

    @rule(slot=st.integers(0, 4))
    def restart(self, slot: int) -> None:
        self.obey(self.plan.restart(slot, self.now))

    @precondition(lambda self: not self.stopped)
    @rule(size=SIZES)
    def scale(self, size: int) -> None:
        self.sockets = max(self.sockets, size)
        self.obey(self.plan.scale(size, self.now, sockets=self.sockets))

    @rule(seconds=st.sampled_from([0.05, 0.5, 1.0, 2.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self.obey(self.plan.tick(self.now))

    @rule()
    def supervisor_sleeps(self) -> None:
        self.now += 300
        self.obey(self.plan.tick(self.now))

    @precondition(lambda self: self.now > 5)
    @rule()
    def stop(self) -> None:
        self.stopped = True
        self.obey(self.plan.stop(self.now))

    @invariant()
    def every_socket_is_accepted_from_while_anybody_serves(self) -> None:
        serving = [
            member
            for member in self.plan.members.values()
            if member.state is State.READY
        ]
        if serving and not self.stopped:
            taken = set().union(*(self.accepts[member.number] for member in serving))
            assert taken == {SHARED, *range(self.sockets)}

    @invariant()
    def one_is_replaced_at_a_time(self) -> None:
        places = self.plan.places.values()
        assert sum(each.successor is not None for each in places) <= 1

    @invariant()
    def there_is_somebody_or_something_to_wait_for(self) -> None:
        if self.finished is not None:
            assert not self.alive
        else:
            assert self.plan.due() < float("inf")

    def teardown(self) -> None:
        """From wherever it is, good code comes to serve, and a stop ends it."""
        self.settle()
        if self.finished is None and not self.stopped:
            ready = [w for w, is_ready in self.alive.items() if is_ready]
            assert len(ready) == self.plan.size
            self.stopped = True
            self.obey(self.plan.stop(self.now))
            self.settle()
        assert self.finished is not None

    def settle(self) -> None:
        for _ in range(80):
            for worker in sorted(self.alive):
                if worker in self.told:
                    self.gone(worker, 0)
                elif not self.alive[worker]:
                    self.alive[worker] = True
                    self.obey(self.plan.ready(worker, self.now))
                else:
                    self.obey(self.plan.beat(worker, self.now))
            self.now += 0.5
            self.obey(self.plan.tick(self.now))


def test_k7_no_order_of_events_wedges_the_plan() -> None:
    run_state_machine_as_test(
        Processes, settings=settings(max_examples=50, stateful_step_count=40)
    )
