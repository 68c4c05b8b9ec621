"""Report: what a comparison has found, in tables of Markdown."""

from __future__ import annotations

import statistics
import textwrap
from collections.abc import Mapping, Sequence

from benchmarks.comparison import Found
from benchmarks.goals import Verdict
from benchmarks.holding import Held
from benchmarks.memos import Rate
from benchmarks.peers import TRIOWEB
from benchmarks.rounds import Key, Measured, Spread, ratios
from benchmarks.table import markdown

LOADS = (
    "work",
    "server",
    "CPU µs/request",
    "trioweb ÷ it",
    "requests/s",
    "p50, ms",
    "p99, ms",
    "RSS, MiB",
)
HOLDS = (
    "work",
    "server",
    "KiB per connection",
    "RSS before, MiB",
    "with all, MiB",
    "after, MiB",
)
GOALS = ("goal", "reached", "verdict")
MEMOS = ("work", "memo", "asked", "known already")

# Where a figure is not to be had.
NONE = "–"

# Questions in a second that are not one for each request, but for each connection.
SELDOM = 100

# Characters of a reason: some servers have much to say when they cannot start.
LONGEST = 300


def loads(measured: Measured) -> str:
    """One row for each work and server."""
    rows = []
    for (work, peer), found in measured.items():
        rows.append(
            [
                work,
                peer,
                f"{Spread.of([each.processor for each in found]):.1f}",
                _ratio(measured, work, peer),
                f"{statistics.median(each.rate for each in found):.0f}",
                _middle([each.p50 for each in found]),
                _middle([each.p99 for each in found]),
                f"{statistics.median(each.rss for each in found) / 2**20:.1f}",
            ]
        )
    return markdown(LOADS, rows)


def _ratio(measured: Measured, work: str, peer: str) -> str:
    if (work, TRIOWEB.name) not in measured:
        return NONE
    return f"{ratios(measured, work, TRIOWEB.name, peer):.2f}"


def _middle(times: Sequence[float | None]) -> str:
    known = [time for time in times if time is not None]
    return f"{statistics.median(known):.2f}" if known else NONE


def holds(found: Mapping[Key, Sequence[Held]]) -> str:
    """One row for each server that has held connections."""
    rows = []
    for (work, peer), held in found.items():
        moments = [
            [getattr(each, moment) / 2**20 for each in held]
            for moment in ("before", "during", "after")
        ]
        rows.append(
            [
                work,
                peer,
                f"{Spread.of([each.each / 1024 for each in held]):.1f}",
                *(f"{statistics.median(figures):.1f}" for figures in moments),
            ]
        )
    return markdown(HOLDS, rows)


def goals(verdicts: Sequence[Verdict]) -> str:
    """One row for each goal that could be judged."""
    rows = [[each.goal.said, each.reached, each.said] for each in verdicts]
    return markdown(GOALS, rows)


def memos(rates: Sequence[Rate]) -> str:
    """One row for each work and memo that it has asked more than now and then."""
    rows = [
        [each.work, each.memo, str(each.asked), f"{each.share:.1%}"]
        for each in rates
        if each.asked > SELDOM
    ]
    return markdown(MEMOS, rows)


def failures(found: Found) -> str:
    """Who has no figures of a work that it was asked for, and why."""
    said = (
        f"- {work} by {peer}: {textwrap.shorten(why, LONGEST)}"
        for (work, peer), why in found.failures.items()
    )
    return "\n".join(["Not measured:", "", *said])
