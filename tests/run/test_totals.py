"""Totals: what workers count is added up, and no counter ever goes down."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from trioweb.message.measures import COMBINATIONS, OTHER, Family, Series
from trioweb.run.exposition import exposition
from trioweb.run.totals import FAMILIES, Totals

ORDERS = Family("orders_total", "counter", "Orders.", ("paid",))
OPEN = Family("open", "gauge", "Open.")
TIMES = Family("times", "histogram", "Times.", (), (1.0, 2.0))


def values(totals: Totals) -> dict[str, dict[tuple[str, ...], tuple[float, ...]]]:
    return {
        family.name: {each.labels: each.values for each in series}
        for family, series in totals.measured()
    }


def test_workers_are_added_up_by_labels() -> None:
    totals = Totals()
    totals.take(1, ORDERS, [Series(("card",), (3,)), Series(("cash",), (1,))])
    totals.take(2, ORDERS, [Series(("card",), (4,))])
    totals.take(1, TIMES, [Series((), (1, 2, 3, 9.5))])
    totals.take(2, TIMES, [Series((), (1, 0, 0, 0.5))])
    assert values(totals) == {
        "orders_total": {("card",): (7,), ("cash",): (1,)},
        "times": {(): (2, 2, 3, 10.0)},
    }


def test_the_newest_word_of_a_worker_counts() -> None:
    totals = Totals()
    totals.take(1, ORDERS, [Series(("card",), (3,))])
    totals.take(1, ORDERS, [Series(("card",), (5,))])
    assert values(totals) == {"orders_total": {("card",): (5,)}}


def test_who_is_gone_leaves_counts_but_nothing_at_hand() -> None:
    totals = Totals()
    totals.take(1, ORDERS, [Series(("card",), (3,))])
    totals.take(1, OPEN, [Series((), (8,))])
    totals.retire(1)
    totals.retire(1)
    assert values(totals) == {"orders_total": {("card",): (3,)}}
    totals.take(2, ORDERS, [Series(("card",), (1,))])
    assert values(totals) == {"orders_total": {("card",): (4,)}}


def test_a_new_version_that_counts_otherwise_begins_anew() -> None:
    totals = Totals()
    totals.take(1, ORDERS, [Series(("card",), (3,))])
    by_two = Family("orders_total", "counter", "Orders.", ("paid", "country"))
    totals.take(2, by_two, [Series(("card", "KR"), (1,))])
    assert values(totals) == {"orders_total": {("card", "KR"): (1,)}}
    totals.retire(1)
    totals.retire(2)
    assert values(totals)["orders_total"] == {("card", "KR"): (1,)}


def test_another_description_is_no_other_measure() -> None:
    totals = Totals()
    totals.take(1, ORDERS, [Series(("card",), (3,))])
    better = Family("orders_total", "counter", "Orders that were paid.", ("paid",))
    totals.take(2, better, [Series(("card",), (1,))])
    assert values(totals) == {"orders_total": {("card",): (4,)}}
    assert [family.help for family, _ in totals.measured()] == [better.help]


def test_what_does_not_fit_its_family_is_left_out() -> None:
    totals = Totals()
    totals.take(1, ORDERS, [Series((), (3,))])
    totals.take(1, TIMES, [Series((), (3,))])
    assert values(totals) == {}


def test_a_supervisor_that_outlives_many_versions_keeps_its_size() -> None:
    totals = Totals()
    for number in range(COMBINATIONS + 100):
        totals.take(number, ORDERS, [Series((str(number),), (1,))])
        totals.retire(number)
    (kept,) = values(totals).values()
    assert len(kept) == COMBINATIONS + 1
    assert kept[OTHER,] == (100,)
    for number in range(FAMILIES + 100):
        totals.take("a", Family(f"x{number}", "gauge", ""), [Series((), (1,))])
        totals.take(number, Family(f"y{number}", "counter", ""), [Series((), (1,))])
        totals.retire(number)
    assert len(values(totals)) == FAMILIES


FLOATS = st.floats(0, 1e300)


@given(st.lists(FLOATS, min_size=1, max_size=20), st.permutations(range(20)))
def test_what_adding_rounds_off_depends_on_no_order(
    seconds: list[float], order: list[int]
) -> None:
    totals = Totals()
    for number, each in enumerate(seconds):
        totals.take(number, ORDERS, [Series(("a",), (each,))])
    before = values(totals)
    assert before["orders_total"]["a",] == (math.fsum(seconds),)
    for number in order:
        totals.retire(number)
        assert values(totals) == before


def test_what_has_no_end_stays_so() -> None:
    totals = Totals()
    for number, each in enumerate([1e308, 1e308, 5.0, 1e308]):
        totals.take(number, ORDERS, [Series(("a",), (each,))])
    assert values(totals) == {"orders_total": {("a",): (math.inf,)}}
    assert exposition(totals.measured()).endswith('{paid="a"} +Inf\n')
    totals.take(9, ORDERS, [Series(("a",), (-math.inf,))])
    assert exposition(totals.measured()).endswith('{paid="a"} NaN\n')


STEPS = st.lists(
    st.one_of(
        st.tuples(st.integers(0, 3), st.sampled_from("ab"), st.integers(0, 9)),
        st.integers(0, 3),
    ),
    max_size=40,
)


@given(STEPS)
def test_no_counter_goes_down_whoever_comes_and_goes(
    steps: list[tuple[int, str, int] | int],
) -> None:
    totals, own = Totals(), dict[tuple[int, int, str], int]()
    lives = dict.fromkeys(range(4), 0)
    before: dict[tuple[str, ...], float] = {}
    for step in steps:
        if isinstance(step, int):
            totals.retire((step, lives[step]))
            lives[step] += 1
        else:
            slot, label, more = step
            place = slot, lives[slot], label
            own[place] = own.get(place, 0) + more
            series = [Series((label,), (own[place],))]
            totals.take((slot, lives[slot]), ORDERS, series)
        now = {k: v[0] for k, v in values(totals).get("orders_total", {}).items()}
        assert all(now[labels] >= count for labels, count in before.items())
        before = now
    assert sum(before.values()) == sum(own.values())
