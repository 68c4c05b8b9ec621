"""Allowances: so much at once, so much a second."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given

from trioweb.rules.allowance import Allowance


def test_it_is_full_whatever_the_clock_says() -> None:
    for now in (0.0, 1e9):
        allowance = Allowance("of three", 3, 1)
        assert allowance.what == "of three"
        assert [allowance.take(now) for _ in range(4)] == [True, True, True, False]


def test_it_fills_again_but_never_over() -> None:
    allowance = Allowance("", 2, 0.5)
    assert allowance.take(0, 2)
    assert not allowance.take(1)
    assert allowance.take(2)
    assert allowance.take(100, 2)
    assert not allowance.take(100)


def test_what_is_given_goes_in_as_far_as_there_is_room() -> None:
    allowance = Allowance("", 2, 0)
    allowance.give(5)
    assert allowance.take(0, 2)
    allowance.give(1)
    assert allowance.take(0)
    assert not allowance.take(1e9)


def test_what_is_too_dear_takes_nothing() -> None:
    allowance = Allowance("", 2, 0)
    assert not allowance.take(0, 2.5)
    assert allowance.take(0, 2)


@given(
    st.lists(st.tuples(st.floats(0, 10), st.floats(0, 10)), max_size=50),
    st.floats(0, 100),
    st.floats(0, 100),
)
def test_no_more_passes_than_was_there_and_came(
    takes: list[tuple[float, float]], most: float, rate: float
) -> None:
    allowance, now, taken = Allowance("", most, rate), 0.0, 0.0
    for pause, cost in takes:
        now += pause
        if allowance.take(now, cost):
            taken += cost
    assert taken <= (most + now * rate) * 1.000001
