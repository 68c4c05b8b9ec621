"""The plan: what happens to workers, event by event, without a process or a clock."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable

import pytest

from trioweb.run.cluster.actions import (
    Action,
    Announce,
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
from trioweb.run.cluster.members import Policy, State, ending
from trioweb.run.cluster.placing import SHARED
from trioweb.run.cluster.plan import Plan
from trioweb.run.recycling import Recycling

POLICY = Policy(grace=30, cleanup=5, startup=60, silence=30)


def planned(size: int = 2, policy: Policy = POLICY, chance: float = 0.0) -> Plan:
    plan = Plan(size, sockets=size, policy=policy, chance=lambda: chance)
    assert plan.begin(0.0) == [Spawn(n + 1, n) for n in range(size)]
    return plan


def serving(size: int = 2, policy: Policy = POLICY, chance: float = 0.0) -> Plan:
    """All of them ready at 1 s, as workers 1, 2, ..."""
    plan = planned(size, policy, chance)
    for number in range(1, size + 1):
        plan.ready(number, 1.0)
    return plan


def without_words(actions: Iterable[Action]) -> list[Action]:
    return [each for each in actions if not isinstance(each, Tell)]


def words(actions: Iterable[Action]) -> str:
    return "\n".join(each.text for each in actions if isinstance(each, Tell))


def awake(plan: Plan, start: float, end: float) -> list[Action]:
    """Every worker gives a sign of life each second; what comes of that."""
    done: list[Action] = []
    now = start
    while now < end:
        now += 1
        for number in list(plan.members):
            done += plan.beat(number, now)
        done += plan.tick(now)
    return done


# ------------------------------------------------------------------------- starting


def test_the_first_that_is_ready_takes_every_socket_and_is_announced_once() -> None:
    plan = planned()
    assert plan.ready(2, 1.0) == [Announce(), Listen(2, frozenset({0, 1, SHARED}))]
    assert plan.ready(1, 1.1) == [
        Listen(1, frozenset({0, SHARED})),
        Hush(2, frozenset({0})),
    ]


@pytest.mark.parametrize(
    ("ended", "pause"), [(1, 0.1), (2, 0.2), (3, 0.4), (4, 0.8)], ids=str
)
def test_k2_a_start_that_comes_to_nothing_is_tried_again_after_a_longer_pause(
    ended: int, pause: float
) -> None:
    plan, now, number = planned(1), 0.0, 1
    for _ in range(ended - 1):
        plan.ended(number, now, 1)
        now = plan.due()
        plan.tick(now)
        number += 1
    assert "ended with exit code 1" in words(plan.ended(number, now, 1))
    assert plan.due() == pytest.approx(now + pause)
    assert plan.tick(now + pause / 2) == []
    assert plan.tick(plan.due()) == [Spawn(number + 1, 0)]


def test_k2_the_fifth_that_ends_by_itself_before_any_was_ready_ends_the_server() -> (
    None
):
    plan, now = planned(1), 0.0
    for number in range(1, 5):
        plan.ended(number, now, 1)
        now = plan.due()
        plan.tick(now)
    plan.failed(5, now, "ZeroDivisionError", hopeless=False)
    end = plan.ended(5, now, 1)
    assert without_words(end) == [Finish(3)]
    assert "ZeroDivisionError" in words(end)
    assert now < 10


def test_k2_pauses_grow_to_ten_seconds_where_one_has_been_ready() -> None:
    plan, now = serving(1), 1.0
    pauses: list[float] = []
    plan.ended(1, now, 1)
    while not plan.finished and len(pauses) < 12:
        pauses.append(plan.due() - now)
        now = plan.due()
        (spawned,) = plan.tick(now)
        assert isinstance(spawned, Spawn)
        plan.ended(spawned.worker, now, 1)
    assert pauses[:4] == pytest.approx([0.1, 0.2, 0.4, 0.8])
    assert max(pauses) == pytest.approx(10)
    assert 50 < now < 80  # a minute without one that is ready
    assert plan.finished


def test_k2_a_death_by_signal_does_not_count_and_restarts_at_once() -> None:
    plan = planned(1)
    for number in range(1, 4):
        assert Spawn(number + 1, 0) in plan.ended(number, 0.1, -9)
    assert plan.ended(4, 0.1, -9)[1:] == []
    assert plan.due() == pytest.approx(0.2)


def test_k14_a_minute_of_deaths_by_signal_ends_the_server_with_code_3() -> None:
    plan, now = planned(1), 0.0
    while not plan.finished:
        if plan.members:
            (number,) = plan.members
            actions = plan.ended(number, now, -11)
        else:
            actions = plan.tick(now)
        now += 0.01
        if plan.due() < math.inf:
            now = max(now, plan.due())
        assert now < 90
    assert without_words(actions) == [Finish(3)]
    assert now > 50


def test_while_another_serves_a_worker_may_fail_to_start_for_ever() -> None:
    plan, now = planned(2), 0.0
    plan.ready(1, now)
    number = 2
    while now < 600:
        plan.ended(number, now, 1)
        due = plan.places[1].retry
        awake(plan, now, due)
        now = max(now, due) + 1
        (number,) = plan.members.keys() - {1}
    assert plan.members[1].state is State.READY


def test_what_no_start_can_mend_ends_the_server_with_code_1() -> None:
    plan = planned(2)
    actions = plan.failed(1, 0.1, "shop.py is not there", hopeless=True)
    assert actions == [
        Tell(logging.CRITICAL, "shop.py is not there"),
        Terminate(1),
        Terminate(2),
    ]
    plan.ended(1, 0.2, 1)
    assert plan.ended(2, 0.2, -15) == [Finish(1)]


def test_one_that_does_not_become_ready_shows_where_it_is_and_is_killed() -> None:
    plan = planned(2)
    plan.ready(2, 1.0)
    actions = awake(plan, 1.0, 59.0)
    assert without_words(actions) == []
    actions = plan.tick(60.0)
    assert actions[0] == Dump(1)
    assert "is not ready after 60 s" in words(actions)
    assert without_words(plan.tick(61.0)) == [Kill(1), Spawn(3, 0)]


# -------------------------------------------------------------------- dying, living


def test_k1_a_crashed_worker_is_replaced_and_its_socket_served_at_once() -> None:
    plan = serving()
    actions = plan.ended(1, 5.0, -9)
    assert "was killed by SIGKILL" in words(actions)
    assert without_words(actions) == [Spawn(3, 0), Listen(2, frozenset({0}))]
    assert plan.ready(3, 5.2) == [
        Listen(3, frozenset({0, SHARED})),
        Hush(2, frozenset({0})),
    ]


def test_one_that_crashes_as_soon_as_it_serves_is_replaced_after_pauses() -> None:
    plan, now, pauses = serving(1), 1.0, []
    number = 1
    for _ in range(4):
        assert without_words(plan.ended(number, now, 1)) == []
        pauses.append(plan.due() - now)
        now = plan.due()
        (spawned,) = plan.tick(now)
        assert isinstance(spawned, Spawn)
        number = spawned.worker
        plan.ready(number, now)
    assert pauses == pytest.approx([0.1, 0.2, 0.4, 0.8])


def test_k11_a_silent_worker_shows_where_it_is_and_is_replaced_then_killed() -> None:
    plan, now = serving(), 1.0
    actions: list[Action] = []
    while not actions:
        now += 1
        actions = plan.beat(2, now) + plan.tick(now)
    assert now == 31.0
    assert "gave no sign of life for 30 s" in words(actions)
    assert without_words(actions) == [Dump(1), Spawn(3, 0), Listen(2, frozenset({0}))]
    assert plan.tick(now + 1) == [Kill(1)]
    assert plan.tick(now + 2) == []
    assert plan.ended(1, now + 3, -9) == []


def test_a_supervisor_that_stood_still_lets_no_worker_pay_for_it() -> None:
    plan = serving()
    assert plan.tick(500.0) == []
    assert awake(plan, 500.0, 600.0) == []


def test_one_that_was_told_to_stop_by_others_is_replaced_while_it_drains() -> None:
    plan = serving()
    actions = plan.parting(1, 5.0)
    assert without_words(actions) == [Spawn(3, 0), Listen(2, frozenset({0}))]
    assert without_words(plan.ended(1, 6.0, 0)) == []


# -------------------------------------------------------------------------- rolling


def test_k4_a_reload_replaces_one_after_the_other_the_new_before_the_old() -> None:
    plan = serving()
    assert plan.reload(5.0) == [Spawn(3, 0)]
    assert plan.ready(3, 6.0) == [
        Listen(3, frozenset({0, SHARED})),
        Drain(1, last=False),
        Spawn(4, 1),
    ]
    assert Drain(2, last=False) in plan.ready(4, 7.0)
    assert plan.ended(1, 8.0, 0) == plan.ended(2, 8.0, 0) == []
    assert plan.reload(9.0) == [Spawn(5, 0)]


def test_k4_new_code_that_does_not_start_leaves_the_old_serving() -> None:
    plan = serving()
    plan.reload(5.0)
    plan.failed(3, 5.1, "ImportError: no", hopeless=True)
    actions = plan.ended(3, 5.2, 1)
    assert without_words(actions) == []
    assert "did not start (ImportError: no); the old ones serve on" in words(actions)
    assert {each.state for each in plan.members.values()} == {State.READY}
    assert awake(plan, 6.0, 100.0) == []


def test_k4_a_reload_that_comes_while_another_fails_is_not_forgotten() -> None:
    """As when of two files one is there before the other."""
    plan = serving()
    plan.reload(5.0)
    assert without_words(plan.reload(5.1)) == []
    plan.failed(3, 5.2, "KeyError: half", hopeless=True)
    actions = plan.ended(3, 5.3, 1)
    assert without_words(actions) == [Spawn(4, 0)]
    assert "did not start" not in words(actions)
    assert Spawn(5, 1) in plan.ready(4, 5.4)


def test_k4_a_new_one_that_is_killed_by_a_signal_is_tried_again() -> None:
    plan = serving()
    plan.reload(5.0)
    for number in range(3, 6):
        assert without_words(plan.ended(number, 5.0, -9)) == [Spawn(number + 1, 0)]
    assert without_words(plan.ended(6, 5.0, -9)) == []


def test_k4_a_reload_ends_the_pause_of_one_that_did_not_start() -> None:
    plan, now = planned(2), 0.0
    plan.ready(1, now)
    number = 2
    for _ in range(4):
        plan.ended(number, now, 1)
        now = plan.due()
        (spawned,) = plan.beat(1, now)
        assert isinstance(spawned, Spawn)
        number = spawned.worker
    plan.ended(number, now, 1)
    assert Spawn(number + 1, 1) in plan.reload(now)


def test_k7_a_storm_of_reloads_is_two_at_most() -> None:
    plan = serving()
    spawned = [plan.reload(5.0 + n / 100) for n in range(200)]
    assert [each for each in spawned if each] == [[Spawn(3, 0)]]
    started, now = [3], 7.0
    while started:
        now += 0.1
        actions = plan.ready(started.pop(), now)
        started += [each.worker for each in actions if isinstance(each, Spawn)]
    assert max(plan.members) <= 2 + 2 * 2


def test_when_the_old_one_dies_during_a_reload_the_new_one_has_its_place() -> None:
    plan = serving()
    plan.reload(5.0)
    assert without_words(plan.ended(1, 5.1, -9)) == [
        Listen(2, frozenset({0})),
        Spawn(4, 1),
    ]
    assert plan.places[0].current is plan.members[3]


RECYCLED = [
    ("requests", Recycling(requests=100, jitter=0.5), {"requests": 75}),
    ("memory", Recycling(memory=100, jitter=0.5), {"memory": 75}),
]


@pytest.mark.parametrize(
    ("recycling", "reached"), [c[1:] for c in RECYCLED], ids=[c[0] for c in RECYCLED]
)
def test_k12_who_has_reached_a_bound_is_replaced_never_two_at_a_time(
    recycling: Recycling, reached: dict[str, int]
) -> None:
    plan = serving(3, Policy(recycling=recycling), chance=0.5)
    below = {name: value - 1 for name, value in reached.items()}
    assert plan.beat(1, 2.0, **below) == []
    assert plan.beat(1, 2.0, **reached) == [Spawn(4, 0)]
    assert plan.beat(2, 2.0, **reached) == plan.beat(3, 2.0, **reached) == []
    actions = plan.ready(4, 3.0)
    assert Spawn(5, 1) in actions
    assert Drain(1, last=False) in actions


def test_k12_age_is_counted_from_when_it_served() -> None:
    plan = serving(1, Policy(recycling=Recycling(age=100, jitter=0)))
    assert awake(plan, 1.0, 100.0) == []
    assert plan.beat(1, 101.0) == [Spawn(2, 0)]


def test_k12_recycling_that_fails_is_not_tried_again_for_a_minute() -> None:
    plan = serving(1, Policy(recycling=Recycling(requests=1, jitter=0)))
    assert plan.beat(1, 2.0, requests=1) == [Spawn(2, 0)]
    plan.ended(2, 3.0, 1)
    now = 3.0
    while not (actions := plan.beat(1, now, requests=1)):
        now += 1
    assert actions == [Spawn(3, 0)]
    assert now == 63.0


def test_one_worker_can_be_restarted() -> None:
    plan = serving()
    assert plan.restart(1, 5.0) == [Spawn(3, 1)]
    assert Drain(2, last=False) in plan.ready(3, 6.0)
    assert plan.restart(7, 6.0) == []


# -------------------------------------------------------------------------- scaling


def test_scaling_up_starts_more_whose_sockets_are_served_until_then() -> None:
    plan = serving(1)
    assert plan.scale(2, 5.0, sockets=2) == [Spawn(2, 1), Listen(1, frozenset({1}))]
    assert plan.ready(2, 6.0)[-1] == Hush(1, frozenset({1}))


def test_scaling_down_leaves_no_socket_without_one_who_accepts() -> None:
    plan = serving(3)
    assert plan.scale(1, 5.0, sockets=3) == [
        Listen(1, frozenset({1, 2})),
        Drain(2, last=False),
        Drain(3, last=False),
    ]


def test_who_is_too_many_serves_on_until_another_one_can() -> None:
    plan = serving(2)
    plan.ended(1, 5.0, -9)
    assert plan.scale(1, 5.0, sockets=2) == []
    assert Drain(2, last=False) in plan.ready(3, 6.0)


# ------------------------------------------------------------------------- stopping


def test_k5_a_stop_is_graceful_then_at_once_then_by_force() -> None:
    plan = serving()
    plan.reload(4.0)
    assert plan.stop(5.0) == [Terminate(3), Drain(1, last=True), Drain(2, last=True)]
    assert plan.ended(3, 5.1, -15) == []
    assert plan.stop(6.0) == [Cancel(1), Cancel(2)]
    assert plan.stop(7.0) == [Kill(1), Kill(2)]
    assert plan.ended(1, 7.0, -9) == []
    assert plan.ended(2, 7.0, -9) == [Finish(0)]
    assert plan.finished


def test_k5_who_does_not_end_in_time_is_killed() -> None:
    plan = serving(1)
    plan.stop(5.0)
    assert without_words(awake(plan, 5.0, 40.0)) == []
    actions = awake(plan, 40.0, 45.0)
    assert without_words(actions) == [Kill(1)]
    assert "did not end in time" in words(actions)


def test_k6_a_stop_before_anything_began_starts_nothing() -> None:
    plan = Plan(2, sockets=2, policy=POLICY, chance=lambda: 0)
    assert plan.stop(0.0) == [Finish(0)]
    assert plan.begin(0.0) == []


def test_what_is_asked_after_a_stop_changes_nothing() -> None:
    plan = serving()
    plan.stop(5.0)
    assert plan.reload(5.1) == plan.restart(0, 5.1) == []
    assert plan.scale(9, 5.2, sockets=9) == plan.ready(1, 5.3) == []


ENDINGS = [
    (0, "ended with exit code 0"),
    (-15, "was killed by SIGTERM"),
    (-40, "was killed by signal 40"),
]


@pytest.mark.parametrize(("code", "said"), ENDINGS, ids=[str(e[0]) for e in ENDINGS])
def test_how_a_process_ended_is_said_in_words(code: int, said: str) -> None:
    assert ending(code) == said
