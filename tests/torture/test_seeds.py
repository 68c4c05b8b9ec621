"""The same seed gives the same run, and another seed another."""

from __future__ import annotations

import pytest

from tests.torture import seeds
from tests.torture.faults import Fault
from tests.torture.harms import Harm, Leave, Sent, Stop
from tests.torture.scenes import SCENES
from tests.torture.story import tell

SEEDS = range(20)
HARMS = [Harm(), Harm(Stop.CANCEL, 20), Harm(Sent(Leave.HALF), 9), Harm(Fault.TORN, 4)]


def test_trio_has_what_reproducibility_stands_on() -> None:
    assert seeds.known()


@pytest.mark.parametrize("harm", HARMS, ids=str)
@pytest.mark.parametrize("name", ["pipelined", "nursery"])
def test_a_run_can_be_repeated_by_its_seed(name: str, harm: Harm) -> None:
    for seed in SEEDS:
        one, other = (tell(SCENES[name], harm, seed=seed) for _ in range(2))
        assert one.trace == other.trace
        assert one.received == other.received
        assert one.end is other.end


def test_twenty_seeds_are_twenty_runs() -> None:
    traces = {tell(SCENES["pipelined"], seed=seed).trace for seed in SEEDS}
    assert len(traces) == len(SEEDS)
