"""Figures: each exchange is counted once, and what peers choose has an end."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.run.test_exposition import samples
from trioweb.message.exchange import Ending, Exchanged
from trioweb.message.measures import COMBINATIONS, OTHER, SECONDS, Counter, Family
from trioweb.message.transport import Peer
from trioweb.run.figures import REMEMBERED, Figures

PLAIN = Exchanged(
    method="GET",
    target="/notes/1?secret=1",
    route="/notes/{id:int}",
    peer=Peer("127.0.0.1", 5),
    status=200,
    received=3,
    sent=100,
    seconds=0.003,
    ending=Ending.COMPLETE,
    version="1.1",
)

Found = dict[tuple[str, frozenset[tuple[str, str]]], float]


async def read(figures: Figures) -> Found:
    return samples(await figures.report())


def at(found: Found, name: str, **labels: str) -> float:
    return found[name, frozenset(labels.items())]


@pytest.mark.parametrize(
    ("change", "labels"),
    [
        ({}, {"method": "GET", "route": "/notes/{id:int}", "status": "2xx"}),
        ({"status": 204}, {"method": "GET", "status": "2xx"}),
        ({"status": 503}, {"method": "GET", "status": "5xx"}),
        ({"status": None}, {"method": "GET", "status": "none"}),
        ({"route": None, "status": 404}, {"route": "", "status": "4xx"}),
        ({"method": "", "status": 400}, {"method": OTHER, "status": "4xx"}),
        ({"method": "BREW", "status": 501}, {"method": OTHER, "status": "5xx"}),
        ({"method": "QUERY"}, {"method": "QUERY"}),
    ],
)
async def test_an_exchange_counts_under_what_its_server_chose(
    change: dict[str, object], labels: dict[str, str]
) -> None:
    figures = Figures()
    changed = msgspec.structs.replace(PLAIN, **change)
    figures.record(changed)
    figures.record(changed)
    plain = {"method": "GET", "route": "/notes/{id:int}", "status": "2xx"} | labels
    found = await read(figures)
    assert figures.requests == 2
    assert at(found, "http_requests_total", **plain) == 2
    del plain["status"]
    assert at(found, "http_request_body_bytes_total", **plain) == 6
    assert at(found, "http_response_bytes_total", **plain) == 200
    name = "http_request_duration_seconds"
    assert at(found, f"{name}_count", **plain) == 2
    assert at(found, f"{name}_sum", **plain) == 0.006
    assert at(found, f"{name}_bucket", le="0.0025", **plain) == 0
    assert at(found, f"{name}_bucket", le="0.005", **plain) == 2


async def test_no_path_and_no_secret_is_told() -> None:
    figures = Figures()
    figures.record(PLAIN)
    text = await figures.report()
    assert "/notes/1" not in text
    assert "secret" not in text


async def test_how_an_exchange_ended_is_told_where_it_is_no_good_end() -> None:
    figures = Figures()
    for ending in (*Ending, Ending.GONE):
        figures.record(msgspec.structs.replace(PLAIN, ending=ending))
    found = await read(figures)
    name = "http_unfinished_requests_total"
    assert at(found, name, ending="gone") == 2
    assert at(found, name, ending="failed") == 1
    assert (name, frozenset({("ending", "complete")})) not in found


@given(
    st.lists(
        st.builds(
            lambda **fields: msgspec.structs.replace(PLAIN, **fields),
            method=st.sampled_from(["GET", "POST", "X"]),
            route=st.sampled_from([None, "/", "/a"]),
            status=st.sampled_from([None, 200, 201, 404, 500]),
            seconds=st.floats(0, 20),
        ),
        max_size=30,
    )
)
def test_the_sums_are_those_of_the_exchanges(exchanges: list[Exchanged]) -> None:
    figures = Figures()
    for each in exchanges:
        figures.record(each)
    measured = {family.name: list(series) for family, series in figures.collect()}
    requests = measured["http_requests_total"]
    times = measured["http_request_duration_seconds"]
    assert sum(each.values[0] for each in requests) == len(exchanges)
    assert sum(sum(each.values[:-1]) for each in times) == len(exchanges)
    slow = sum(each.seconds > SECONDS[-1] for each in exchanges)
    assert sum(each.values[-2] for each in times) == slow


def test_a_flood_of_methods_and_routes_has_an_end() -> None:
    figures = Figures()
    for number in range(REMEMBERED * 2):
        # No application of ours has so many; one may set what it likes.
        changed = msgspec.structs.replace(
            PLAIN, method=f"M{number}", route=f"/{number}", status=100 + number % 500
        )
        figures.record(changed)
    series = {family.name: list(series) for family, series in figures.collect()}[
        "http_requests_total"
    ]
    assert sum(each.values[0] for each in series) == REMEMBERED * 2
    assert COMBINATIONS <= len(series) <= COMBINATIONS + 10
    assert any(each.labels[1] == OTHER for each in series)


async def test_what_is_watched_is_told_as_it_is_now() -> None:
    figures, now = Figures(), [1]
    figures.watch(Family("trioweb_x", "gauge", "X."), lambda: now[0])
    orders = Counter("orders_total", "Orders.")
    figures.include([orders])
    assert at(await read(figures), "trioweb_x") == 1
    now[0] = 7
    orders.add(3)
    found = await read(figures)
    assert at(found, "trioweb_x") == 7
    assert at(found, "orders_total") == 3
    assert at(found, "trioweb_cpu_seconds_total") > 0
