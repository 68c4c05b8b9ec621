"""The garbage collector of a program of ours; row E9."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from trioweb.run.heap import ALL, LASTING, YOUNG, settled


@pytest.fixture(autouse=True)
def usual() -> Iterator[None]:
    before, enabled = gc.get_threshold(), gc.isenabled()
    gc.set_threshold(700, 10, 10)
    yield
    gc.set_threshold(*before)
    if enabled:
        gc.enable()


def test_e9_what_there_is_at_the_start_is_not_looked_through_again() -> None:
    there = [[number] for number in range(10_000)]
    with settled():
        assert gc.get_freeze_count() > len(there)
        assert gc.get_threshold() == (YOUNG, LASTING, ALL)
        assert not any(each is there for each in gc.get_objects())
    assert gc.get_freeze_count() == 0
    assert gc.get_threshold() == (700, 10, 10)


def test_e9_garbage_that_comes_later_is_still_found() -> None:
    class Cycle:
        alive = 0

        def __init__(self) -> None:
            self.self = self
            Cycle.alive += 1

        def __del__(self) -> None:
            Cycle.alive -= 1

    with settled():
        for _ in range(3 * YOUNG):
            Cycle()
        assert Cycle.alive < 2 * YOUNG


def test_e9_who_comes_with_many_others_is_not_stopped_for_all_of_them() -> None:
    seen: list[int] = []

    def look(phase: str, about: dict[str, int]) -> None:
        if phase == "start" and about["generation"] == 1:
            seen.append(len(gc.get_objects(0)) + len(gc.get_objects(1)))

    with settled():
        gc.callbacks.append(look)
        there = [[number] for number in range(20 * YOUNG)]
        gc.callbacks.remove(look)
    assert there
    assert len(seen) > 5
    assert max(seen) < 4 * YOUNG


@pytest.mark.parametrize("thresholds", [(0, 10, 10), (5000, 20, 20)])
def test_e9_what_its_user_has_set_is_left_alone(
    thresholds: tuple[int, int, int],
) -> None:
    gc.set_threshold(*thresholds)
    with settled():
        assert gc.get_threshold() == thresholds
        assert gc.get_freeze_count() == 0


def test_e9_a_collector_that_is_switched_off_stays_off() -> None:
    gc.disable()
    with settled():
        assert not gc.isenabled()
        assert gc.get_freeze_count() == 0
