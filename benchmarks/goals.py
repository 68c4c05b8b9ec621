"""Goals: what the comparison was made for, and whether it is reached."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from benchmarks.comparison import Found
from benchmarks.rounds import Spread, ratios

# Figures of one run that lie nearer than this to each other cannot be told apart.
NOISE = 0.15

Judge = Callable[[Found], Spread]
"""What is reached; KeyError if what it is made of was not measured."""


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure that shall be *bound* at most; with *at_least*, at least."""

    said: str
    bound: float
    judge: Judge
    form: str = ".2f"
    at_least: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """A goal with what was found."""

    goal: Goal
    found: Spread

    @property
    def reached(self) -> str:
        """The figure."""
        return format(self.found, self.goal.form)

    @property
    def said(self) -> str:
        """Whether that is enough."""
        share = self.found.median / self.goal.bound
        if self.goal.at_least:
            share = 1 / share
        if share <= 1:
            return "reached"
        return "within the noise" if share <= 1 + NOISE else "missed"


def judged(found: Found) -> list[Verdict]:
    """The goals of which there are figures."""
    verdicts = []
    for goal in GOALS:
        try:
            verdicts.append(Verdict(goal, goal.judge(found)))
        except KeyError:
            continue
    return verdicts


def _cost(work: str, to: str, bound: float, *, of: str = "trioweb") -> Goal:
    """The processor's time of one server as a share of another's."""

    def judge(found: Found) -> Spread:
        return ratios(found.loads, work, of, to)

    return Goal(f"{work}: CPU per request of {of} ≤ {bound:g} × {to}", bound, judge)


def _rate(work: str, to: str, bound: float) -> Goal:
    def judge(found: Found) -> Spread:
        pairs = zip(found.loads[work, "trioweb"], found.loads[work, to], strict=True)
        return Spread.of([ours.rate / its.rate for ours, its in pairs])

    said = f"{work}: requests/s ≥ {bound:g} × {to}"
    return Goal(said, bound, judge, at_least=True)


def _more(work: str, than: str, bound: float) -> Goal:
    """µs that one work costs more than another, by their medians."""

    def judge(found: Found) -> Spread:
        base = median(each.processor for each in found.loads[than, "trioweb"])
        costs = [each.processor - base for each in found.loads[work, "trioweb"]]
        return Spread.of(costs)

    return Goal(f"{work}: ≤ {bound:g} µs more than {than}", bound, judge, form=".1f")


def _held(work: str, bound: float) -> Goal:
    def judge(found: Found) -> Spread:
        return Spread.of([each.each / 1024 for each in found.holds[work, "trioweb"]])

    return Goal(f"{work}: ≤ {bound:g} KiB each", bound, judge, form=".1f")


_PLAIN = ("plaintext", "json", "param", "echo")

GOALS = (
    *(_cost(work, "node", 1.0) for work in (*_PLAIN, "headers", "connect")),
    *(_cost(work, "hypercorn-trio", 1 / 16) for work in _PLAIN),
    *(_cost(work, "uvicorn-h11", 1.0, of="trioweb-h11") for work in _PLAIN),
    _cost("typed", "fastapi", 1 / 5),
    _cost("typed", "express", 1 / 4),
    _rate("file", "node", 2.5),
    _cost("https", "node", 1.0),
    _cost("handshake", "node", 0.7),
    _cost("h2", "node", 2.2),
    _held("idle", 8.0),
    _more("session", "plaintext", 15.0),
)
