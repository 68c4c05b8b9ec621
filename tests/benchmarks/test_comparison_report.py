"""What a comparison says: tables, goals, the picture, and how long it will take."""

from __future__ import annotations

import doctest
from itertools import count
from xml.etree import ElementTree as ET

import pytest

from benchmarks import forecast, picture, report
from benchmarks.comparison import Found
from benchmarks.forecast import Forecast
from benchmarks.goals import Goal, Verdict, judged
from benchmarks.holding import Held
from benchmarks.load import Measurement
from benchmarks.memos import Rate
from benchmarks.rounds import Measured, Spread
from benchmarks.works import WORKS

MIB = 2**20
SVG = "{http://www.w3.org/2000/svg}"


def loads(*costs: float, p50: float | None = 1.0) -> list[Measurement]:
    return [
        Measurement(processor=cost, rate=1e6 / cost, p50=p50, p99=p50, rss=50 * MIB)
        for cost in costs
    ]


def measured(work: str, **costs: float) -> Measured:
    return {(work, peer.replace("_", "-")): loads(cost) for peer, cost in costs.items()}


def cells(table: str, row: int) -> list[str]:
    return [cell.strip() for cell in table.splitlines()[2 + row].strip("| ").split("|")]


def test_a_load_is_compared_with_ours_round_by_round() -> None:
    figures = {
        ("json", "trioweb"): loads(20, 30, 40),
        ("json", "node"): loads(40, 40, 40, p50=None),
        ("h2", "node"): loads(10),
    }
    table = report.loads(figures)
    assert cells(table, 0)[2:5] == ["30.0 (20.0–40.0)", "1.00 (1.00–1.00)", "33333"]
    assert cells(table, 1)[3] == "0.75 (0.50–1.00)"
    assert cells(table, 1)[5:] == ["–", "–", "50.0"]
    assert cells(table, 2)[3] == "–"


def test_what_is_held_is_told_for_each_connection() -> None:
    held = [Held(1000, 20 * MIB, 30 * MIB, 29 * MIB)]
    table = report.holds({("idle", "trioweb"): held})
    assert cells(table, 0)[2:] == ["10.2 (10.2–10.2)", "20.0", "30.0", "29.0"]


def test_a_memo_is_told_by_its_share() -> None:
    seldom = Rate("json", "trioweb.a.c", 10, 1)
    table = report.memos([seldom, Rate("json", "trioweb.a.b", 999, 1)])
    assert cells(table, 0) == ["json", "trioweb.a.b", "1000", "99.9%"]


@pytest.mark.parametrize(
    ("found", "at_least", "said"),
    [
        (1.0, False, "reached"),
        (1.1, False, "within the noise"),
        (1.2, False, "missed"),
        (1.0, True, "reached"),
        (0.9, True, "within the noise"),
        (0.8, True, "missed"),
    ],
)
def test_a_goal_is_missed_by_more_than_noise(
    found: float, at_least: bool, said: str
) -> None:
    spread = Spread(found, found, found)
    goal = Goal("", 1.0, lambda _: spread, at_least=at_least)
    assert Verdict(goal, spread).said == said


def test_goals_are_judged_where_there_are_figures() -> None:
    assert judged(Found()) == []
    found = Found(
        loads={
            **measured("plaintext", trioweb=20, node=20, hypercorn_trio=400),
            **measured("session", trioweb=40),
            **measured("file", trioweb=100, node=300),
        },
        holds={("idle", "trioweb"): [Held(1024, 0, 9 * MIB, 0)]},
    )
    table = report.goals(judged(found)).splitlines()[2:]
    assert [[part.strip() for part in row.strip("| ").split("|")] for row in table] == [
        ["plaintext: CPU per request of trioweb ≤ 1 × node", *_row("1.00", "reached")],
        [
            "plaintext: CPU per request of trioweb ≤ 0.0625 × hypercorn-trio",
            *_row("0.05", "reached"),
        ],
        ["file: requests/s ≥ 2.5 × node", *_row("3.00", "reached")],
        ["idle: ≤ 8 KiB each", *_row("9.0", "within the noise")],
        ["session: ≤ 15 µs more than plaintext", *_row("20.0", "missed")],
    ]


def _row(figure: str, said: str) -> list[str]:
    return [f"{figure} ({figure}–{figure})", said]


def test_every_goal_is_of_something_that_is_measured() -> None:
    names = {work.name for work in WORKS}
    assert {*picture.WORKS} <= names


def test_the_picture_has_a_bar_for_each_server_and_cuts_the_longest() -> None:
    figures = measured("plaintext", node=20, trioweb=25, trioweb_h11=80, hypercorn=900)
    figures |= measured("echo", hypercorn=900, express=90)
    figures |= measured("param", node=20)
    drawing = ET.fromstring(picture.picture(figures))  # noqa: S314  # it is ours
    bars = [
        each.attrib
        for each in drawing.iter(f"{SVG}rect")
        if each.attrib["class"] != "paper"
    ]
    lengths = [float(bar["width"]) for bar in bars]
    assert [bar["class"] for bar in bars] == ["yardstick", "ours", *["bar"] * 3]
    assert lengths[1] == pytest.approx(lengths[0] * 25 / 20, rel=0.01)
    assert lengths[2] == lengths[4] == picture.LENGTH
    assert lengths[3] == pytest.approx(lengths[4] / 10, rel=0.01)
    cuts = [each for each in drawing.iter(f"{SVG}line") if each.get("class") == "cut"]
    assert len(cuts) == 2
    said = ["".join(text.itertext()) for text in drawing.iter(f"{SVG}text")]
    assert {"900", "25.0", "express"} <= {*said}
    assert "trioweb-h11" not in said
    assert not any("param" in each for each in said)
    assert not picture.complete(figures)


def test_a_forecast_is_corrected_by_what_has_been_done() -> None:
    clock = count(0, 60)
    left = Forecast(100, clock=lambda: next(clock))
    assert str(left) == "  0%, 2 min left"
    left.add(30)
    assert str(left) == " 30%, 2 min left"
    left.add(70)
    assert str(left) == "100%, 0 s left"
    assert doctest.testmod(forecast).failed == 0
