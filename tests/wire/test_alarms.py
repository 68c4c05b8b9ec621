"""Alarms: on time, never early, and cheap to move."""

from __future__ import annotations

import math
import random

import pytest
import trio
import trio.testing

from trioweb.wire.alarms import TICKS, Alarms


class Waiting:
    """Somebody with a deadline, who writes down when it rang."""

    def __init__(self) -> None:
        self.due = math.inf
        self.slot = 0
        self.rung: list[float] = []

    def ring(self) -> None:
        self.rung.append(trio.current_time())


Clock = trio.testing.MockClock


@pytest.fixture
async def alarms(nursery: trio.Nursery) -> Alarms:
    alarms = Alarms()
    nursery.start_soon(alarms.run)
    return alarms


async def test_an_alarm_rings_once_and_never_early(
    autojump_clock: Clock, alarms: Alarms
) -> None:
    waiting = Waiting()
    due = trio.current_time() + 10
    alarms.set(waiting, due)
    await trio.sleep(100)
    [rung] = waiting.rung
    assert due <= rung <= due + 1 / TICKS


async def test_an_alarm_that_is_moved_rings_at_its_last_time(
    autojump_clock: Clock, alarms: Alarms
) -> None:
    waiting = Waiting()
    begin = trio.current_time()
    for later in (10, 30, 5, 20):
        alarms.set(waiting, begin + later)
    await trio.sleep(100)
    [rung] = waiting.rung
    assert begin + 20 <= rung <= begin + 20 + 1 / TICKS


async def test_an_alarm_that_is_taken_away_does_not_ring(
    autojump_clock: Clock, alarms: Alarms
) -> None:
    moved, dropped = Waiting(), Waiting()
    for waiting in (moved, dropped):
        alarms.set(waiting, trio.current_time() + 10)
    alarms.set(moved, math.inf)
    alarms.drop(dropped)
    alarms.drop(dropped)
    await trio.sleep(100)
    assert moved.rung == dropped.rung == []


async def test_an_alarm_can_be_set_by_one_that_rings(
    autojump_clock: Clock, alarms: Alarms
) -> None:
    class Again(Waiting):
        def ring(self) -> None:
            super().ring()
            if len(self.rung) < 3:
                alarms.set(self, trio.current_time() + 1)

    waiting = Again()
    alarms.set(waiting, trio.current_time() + 1)
    await trio.sleep(100)
    assert len(waiting.rung) == 3


async def test_an_alarm_a_breath_after_its_slot_rings_in_the_next(
    mock_clock: Clock, alarms: Alarms
) -> None:
    """Rounded it falls into a slot that has begun, where it must not be put again."""
    slot = 1278 / TICKS
    due = math.nextafter(slot, math.inf)
    assert math.ceil(due * TICKS) == 1278
    waiting = Waiting()
    alarms.set(waiting, due)
    mock_clock.jump(slot - trio.current_time())
    assert trio.current_time() == slot
    await trio.testing.wait_all_tasks_blocked()
    assert not waiting.rung
    mock_clock.jump(1.1 / TICKS)
    await trio.testing.wait_all_tasks_blocked()
    assert len(waiting.rung) == 1


async def test_a_loop_that_was_late_hears_its_peers_before_it_rings(
    mock_clock: Clock, alarms: Alarms
) -> None:
    """Who had answered in time and was not listened to must not pay for it."""
    waiting = [Waiting() for _ in range(50)]

    async def hear(who: Waiting, word: trio.Event) -> None:
        await word.wait()  # as a hub's task
        await trio.lowlevel.checkpoint()  # as a reader's
        alarms.set(who, trio.current_time() + 10)

    word = trio.Event()
    async with trio.open_nursery() as hearing:
        for who in waiting:
            alarms.set(who, trio.current_time() + 5)
            hearing.start_soon(hear, who, word)
        await trio.testing.wait_all_tasks_blocked()
        word.set()
        mock_clock.jump(8)  # and the loop is not free before
    mock_clock.jump(1)
    await trio.testing.wait_all_tasks_blocked()
    assert not any(who.rung for who in waiting)
    mock_clock.jump(10)
    await trio.testing.wait_all_tasks_blocked()
    assert all(len(who.rung) == 1 for who in waiting)


@pytest.mark.parametrize("seed", range(5))
async def test_every_alarm_rings_in_time_however_often_it_was_moved(
    autojump_clock: Clock, alarms: Alarms, seed: int
) -> None:
    dice = random.Random(seed)
    late: list[float] = []

    async def live() -> None:
        waiting = Waiting()
        for _ in range(dice.randrange(1, 20)):
            alarms.set(waiting, trio.current_time() + dice.choice((0.1, 0.3, 5, 30)))
            await trio.sleep(dice.random() * 0.099)
            assert not waiting.rung
        due = trio.current_time() + dice.choice((0.1, 0.3, 5, 30))
        alarms.set(waiting, due)
        await trio.sleep(40)
        late.append(waiting.rung[0] - due)
        alarms.drop(waiting)

    async with trio.open_nursery() as lives:
        for _ in range(100):
            lives.start_soon(live)
    assert len(late) == 100
    assert min(late) >= 0
    assert max(late) <= 1 / TICKS
