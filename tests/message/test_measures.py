"""Measures: what may be counted, under which names, and how much of it."""

from __future__ import annotations

import math

import pytest

from trioweb.message.errors import SetupError
from trioweb.message.health import Health
from trioweb.message.measures import (
    COMBINATIONS,
    LABEL,
    OTHER,
    SECONDS,
    Counter,
    Histogram,
    Series,
)


def test_a_counter_grows_by_its_labels() -> None:
    orders = Counter("orders_total", "Orders.", ["paid", "country"])
    orders.add(paid="card", country="KR")
    orders.add(2.5, country="KR", paid="card")
    orders.add(country=82, paid=None)
    assert orders.series() == [
        Series(("card", "KR"), (3.5,)),
        Series(("None", "82"), (1.0,)),
    ]


def test_what_has_not_been_counted_has_no_series() -> None:
    assert Counter("orders_total", "Orders.").series() == []


@pytest.mark.parametrize("amount", [-1, -0.001, math.nan, math.inf, -math.inf])
def test_a_counter_only_grows(amount: float) -> None:
    orders = Counter("orders_total", "Orders.")
    with pytest.raises(ValueError, match="only grows"):
        orders.add(amount)
    assert orders.series() == []


@pytest.mark.parametrize(
    "labels", [{}, {"paid": 1}, {"paid": 1, "kind": 2, "more": 3}, {"paid": 1, "x": 2}]
)
def test_the_labels_must_be_those_that_were_declared(labels: dict[str, object]) -> None:
    with pytest.raises(TypeError, match=r"has the labels \('paid', 'kind'\)"):
        Counter("orders_total", "Orders.", ["paid", "kind"]).add(**labels)


def test_a_histogram_puts_each_value_into_one_bucket() -> None:
    items = Histogram("cart_items", "Items.", bounds=[1, 2, 5])
    for value in (0, 1, 1.5, 2, 2.1, 5, 6, 1e9):
        items.observe(value)
    assert items.series() == [
        Series((), (2, 2, 2, 2, 0 + 1 + 1.5 + 2 + 2.1 + 11 + 1e9))
    ]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_histogram_takes_numbers(value: float) -> None:
    items = Histogram("cart_items", "Items.")
    assert items.family.bounds == SECONDS
    with pytest.raises(ValueError, match="takes numbers"):
        items.observe(value)


def test_what_has_no_end_is_counted_together() -> None:
    names = Counter("names_total", "Names.", ["name"])
    for number in range(COMBINATIONS * 3):
        names.add(name=f"user {number}")
    names.add(name="user 7")
    series = {each.labels: each.values for each in names.series()}
    assert len(series) == COMBINATIONS + 1
    assert series["user 7",] == (2,)
    assert series[OTHER,] == (COMBINATIONS * 2,)


def test_a_long_label_is_cut() -> None:
    names = Counter("names_total", "Names.", ["name"])
    names.add(name="x" * 10_000)
    assert names.series()[0].labels == ("x" * LABEL,)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "9",
        "a-b",
        "안녕",
        "a b",
        "a:b",
        "trioweb_x",
        "http_x",
        "__x",
        "x" * 129,
        "a\n",
    ],
)
def test_a_name_is_one_that_prometheus_reads_and_none_of_ours(name: str) -> None:
    with pytest.raises(SetupError, match="cannot be the name of a measure"):
        Counter(name, "Nothing.")


@pytest.mark.parametrize("label", ["", "le", "__x", "a-b", "안녕", "x" * 129])
def test_a_label_is_one_that_prometheus_reads(label: str) -> None:
    with pytest.raises(SetupError, match="cannot be a label"):
        Histogram("x", "Nothing.", [label])


@pytest.mark.parametrize("labels", [["a", "a"], [f"a{n}" for n in range(9)]])
def test_labels_are_few_and_different(labels: list[str]) -> None:
    with pytest.raises(SetupError, match="at most 8 labels, each of them once"):
        Counter("x", "Nothing.", labels)


@pytest.mark.parametrize(
    "bounds",
    [[], [1, 1], [2, 1], [1, math.inf], [math.nan], list(range(51))],
    ids=["none", "twice", "backwards", "infinite", "no number", "too many"],
)
def test_bounds_are_some_and_ascend(bounds: list[float]) -> None:
    with pytest.raises(SetupError, match="each above the one before"):
        Histogram("x", "Nothing.", bounds=bounds)


def test_a_description_is_short() -> None:
    with pytest.raises(SetupError, match="at most 1000 characters"):
        Counter("x", "x" * 1001)


async def test_where_no_server_is_there_are_no_figures() -> None:
    assert Health().ready
    assert await Health().metrics() == ""
