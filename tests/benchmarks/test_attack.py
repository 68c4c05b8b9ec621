"""An attack as it runs by command, at its smallest: no figure of it is judged here."""

from __future__ import annotations

import dataclasses
import io
import os
import random

import pytest

from benchmarks.attack import HEADINGS, row
from benchmarks.attacks.breaking import EXCHANGES, mutated
from benchmarks.attacks.known import ATTACKS, BY_NAME, Attack
from benchmarks.attacks.tally import LEFT
from benchmarks.progress import Progress
from benchmarks.soak import slope_rows
from benchmarks.system import cores, pin
from benchmarks.trial import attempt


async def test_a_small_attack_runs_and_makes_a_line_of_the_table() -> None:
    said = io.StringIO()
    attack = dataclasses.replace(BY_NAME["headers"], settle=2)
    trial = await attempt(attack, Progress(said), seconds=1, peers=5, seed=1)
    figures = trial.figures
    assert figures.tally.opened > 0
    # What stood when the time was up is no ending of the server's.
    assert set(figures.tally.endings) <= {"431", "held", LEFT}
    assert figures.before.tasks > 0
    assert figures.peak.rss > 0
    assert figures.answered
    line = row(trial, 5)
    assert len(line) == len(HEADINGS)
    assert line[0] == "headers"
    assert all(len(each) == 5 for each in slope_rows(trial))
    assert "headers" in said.getvalue()


async def test_e8_traffic_beside_idle_connections_leaves_nothing_behind() -> None:
    attack = dataclasses.replace(BY_NAME["crowded"], settle=3)
    trial = await attempt(attack, Progress(io.StringIO()), seconds=3, peers=60, seed=1)
    figures = trial.figures
    assert figures.tally.exchanges > 0
    assert figures.peak.descriptors >= figures.before.usage.descriptors + 50
    assert figures.after.usage.descriptors <= figures.before.usage.descriptors
    assert figures.after.tasks <= figures.before.tasks


async def test_a_server_that_is_told_its_memory_takes_uploads_and_is_guarded() -> None:
    attack = dataclasses.replace(BY_NAME["memory"], settle=3, connections=50)
    trial = await attempt(attack, Progress(io.StringIO()), seconds=3, peers=2, seed=1)
    figures = trial.figures
    assert set(figures.tally.endings) <= {"200", "held"}
    assert figures.tally.endings["200"] > 0
    assert figures.peak.rss >= figures.before.usage.rss
    assert 0 < figures.afterwards < len(figures.waits)


def test_the_cores_stay_the_same_for_a_process_that_has_pinned_itself() -> None:
    usable = os.sched_getaffinity(0)
    before = cores()
    try:
        pin(before.others)
        assert cores() == before
    finally:
        os.sched_setaffinity(0, usable)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_every_attack_says_what_its_peers_do(attack: Attack) -> None:
    assert attack.peer.__doc__


def test_the_same_seed_bends_requests_in_the_same_way() -> None:
    def bent() -> list[bytes]:
        chance = random.Random(7)
        return [mutated(request, chance) for request, _ in EXCHANGES]

    assert bent() == bent()
