"""The oracle decides by every bound, and the tables say what it decided."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest

from benchmarks.attacks.known import ATTACKS, MIXED
from benchmarks.attacks.tally import CLOSED, HELD, RESET, Tally
from benchmarks.oracle import MIB, Bounds, Cost, Figures, Holding, faults, quantile
from benchmarks.rounds import Spread
from benchmarks.slopes import settled, slope
from benchmarks.system import Usage
from benchmarks.table import markdown

QUIET = Holding(Usage(rss=30 * MIB, descriptors=10, threads=2), tasks=7, threads=2)

STOOD = Figures(
    before=QUIET,
    peak=QUIET.usage,
    after=QUIET,
    tally=Tally(opened=1, endings={"408": 1}, longest=10.1, shortest=10.1),
    waits=[1.0] * 100,
    tracebacks=0,
    cost=Cost(seconds=15, processor=1, disturbed=0),
)

BOUNDS = Bounds(endings=frozenset({"408"}), shortest=10, longest=11, memory=8 * MIB)


def test_what_keeps_every_bound_has_no_faults() -> None:
    assert faults(STOOD, BOUNDS) == []


def tally(**changed: float | dict[str, int]) -> dict[str, object]:
    return {"tally": dataclasses.replace(STOOD.tally, **changed)}  # type: ignore[arg-type]


def after(usage: Usage = QUIET.usage, **changed: int) -> dict[str, object]:
    return {"after": dataclasses.replace(QUIET, usage=usage, **changed)}


BROKEN = [
    ("p99", {"waits": [1.0] * 90 + [51.0] * 10}, "p99 is 51 ms"),
    ("longest", {"waits": [1.0] * 999 + [101.0]}, "longest wait is 101 ms"),
    ("unanswered", {"waits": [1.0] * 99 + [None]}, "no answer 1 times"),
    ("silent canary", {"waits": []}, "no answer"),
    ("ending", tally(endings={"408": 1, RESET: 2}), "reset ×2"),
    ("none made", tally(opened=0), "0 connections"),
    ("too long", tally(longest=11.1), "held 11.1 s"),
    ("too soon", tally(shortest=9.0), "ended at 9.0 s"),
    ("memory", {"peak": Usage(39 * MIB, 10, 2)}, "memory +9 MiB, over 8"),
    ("tasks", after(tasks=8), "tasks 7 before, 8 after"),
    ("threads", after(threads=3), "threads 2 before, 3 after"),
    ("descriptors", after(Usage(30 * MIB, 11, 2)), "descriptors 10 before, 11"),
    ("log", {"tracebacks": 1}, "1 tracebacks"),
]


@pytest.mark.parametrize(
    ("changed", "fault"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN]
)
def test_each_bound_that_is_broken_is_a_fault(
    changed: dict[str, Any], fault: str
) -> None:
    assert fault in "; ".join(faults(dataclasses.replace(STOOD, **changed), BOUNDS))


CROWD = dataclasses.replace(STOOD, waits=[500.0] + [1.0] * 999, opening=1)


def test_who_comes_with_all_the_peers_waits_in_line_and_others_do_not() -> None:
    bounds = dataclasses.replace(BOUNDS, canary_p999=50)
    assert faults(CROWD, bounds) == []
    assert faults(dataclasses.replace(CROWD, waits=[500.0] * 11 + [1.0] * 989), bounds)
    late = dataclasses.replace(CROWD, waits=[1.0] * 998 + [60.0] * 2)
    assert faults(late, BOUNDS) == []
    assert "p99.9 is 60 ms, over 50" in "; ".join(faults(late, bounds))


def test_a_server_that_refuses_must_answer_afterwards() -> None:
    bounds = dataclasses.replace(BOUNDS, refuses=True)
    refused = dataclasses.replace(STOOD, waits=[None] * 9 + [1.0], afterwards=1)
    assert faults(refused, bounds) == []
    for waits in ([1.0] * 9 + [None], []):
        never = dataclasses.replace(refused, waits=waits)
        assert "no answer" in "; ".join(faults(never, bounds))
    assert faults(dataclasses.replace(refused, afterwards=0), bounds)


def test_a_connection_that_stood_to_the_end_is_judged_by_its_age_alone() -> None:
    held = Tally(opened=1)
    held.open = 1
    held.end(HELD, 3.0)
    assert faults(dataclasses.replace(STOOD, tally=held), BOUNDS) == []


def test_a_tally_survives_its_way_through_a_pipe() -> None:
    there = Tally(opened=2, refused=1, open=2)
    there.end(CLOSED, 1.5)
    there.end("400", 0.5)
    assert Tally.from_json(there.to_json().encode()) == there
    assert (there.shortest, there.longest, there.open) == (0.5, 1.5, 0)


def test_attacks_have_names_of_their_own_and_fit_their_bounds() -> None:
    names = [attack.name for attack in (*ATTACKS, MIXED)]
    assert len({*names}) == len(names)
    for attack in ATTACKS:
        # Otherwise the deadline that is to be seen would never be.
        assert attack.bounds.longest == math.inf or (
            attack.seconds > attack.bounds.longest
        )


def test_a_quantile_is_one_of_the_values() -> None:
    ordered = [float(value) for value in range(100)]
    assert [quantile(ordered, share) for share in (0, 0.5, 0.99, 1)] == [0, 50, 99, 99]
    assert math.isnan(quantile([], 0.5))


def test_a_table_is_aligned_and_its_cells_cannot_break_it() -> None:
    table = markdown(["a", "work"], [["x|y", "two\nlines"], ["", "µs"]])
    assert table.splitlines() == [
        "| a    | work      |",
        "|------|-----------|",
        "| x\\|y | two lines |",
        "|      | µs        |",
    ]


def test_a_spread_shows_its_middle_and_both_ends() -> None:
    assert f"{Spread.of([3.0, 1.0, 2.04]):.1f}" == "2.0 (1.0–3.0)"


def test_a_slope_is_that_of_the_line_through_the_values() -> None:
    times = [float(time) for time in range(10)]
    assert slope(times, [5 - 0.5 * time for time in times]) == pytest.approx(-0.5)
    assert slope(times, [4.0] * 10) == 0
    assert slope([1.0], [1.0]) == 0
    assert settled(times) == 2
