"""Whatever is done to a connection, and wherever: nothing that it promised is broken.

X3, X10: no cut response looks complete, nothing is left behind, nobody else notices.
A part of the occasions here; ``python -m benchmarks.torture`` has all of them.
"""

from __future__ import annotations

import pytest

from tests.torture.harms import BYTES, STEPS, USES, How, Stop
from tests.torture.rack import torture
from tests.torture.scenes import SCENES

each = pytest.mark.parametrize("name", SCENES)

# Every how many occasions one is tried.  Steps and bytes are many and much alike, uses
# of the transport few and each another; all together about 4000 runs, of 2 ms.
STEPS_STRIDE = 5
BYTES_STRIDE = 13


def stood(name: str, how: How | None, *, stride: int = 1, seed: int = 0) -> None:
    # Each scene begins elsewhere, so that together they try more places.
    first = 1 + [*SCENES].index(name) % stride
    assert (
        torture(name, how, first=first, stride=stride, seed=seed, stop_at=3).failures
        == []
    )


@each
def test_undisturbed_all_of_it_is_heard_in_every_order(name: str) -> None:
    for seed in range(10):
        stood(name, None, seed=seed)


@each
@pytest.mark.parametrize("how", STEPS, ids=str)
def test_x3_a_step_at_which_the_server_stops_or_its_peer_leaves(
    name: str, how: How
) -> None:
    stood(name, how, stride=STEPS_STRIDE)


@each
@pytest.mark.parametrize("how", BYTES, ids=str)
def test_s10_a_byte_after_which_the_peer_leaves(name: str, how: How) -> None:
    stood(name, how, stride=BYTES_STRIDE)


@each
@pytest.mark.parametrize("how", USES, ids=str)
def test_every_use_of_the_transport_goes_wrong(name: str, how: How) -> None:
    stood(name, how)
    # Under another seed what comes, comes in other pieces.
    stood(name, how, stride=3, seed=7)


def test_a_close_that_crosses_the_servers_is_answered_at_every_step() -> None:
    tortured = torture("websocket", Stop.DRAIN, first=1, stride=1, seed=0, stop_at=3)
    assert tortured.failures == []
