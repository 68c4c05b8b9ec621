"""Whatever is done to a connection, and wherever: nothing that it promised is broken.

X3, X10: no cut response looks complete, nothing is left behind, nobody else notices.
A part of the occasions here; ``python -m benchmarks.torture`` has all of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.torture.faults import Fault
from tests.torture.harms import BYTES, STEPS, USES, How, Stop
from tests.torture.lines import Line
from tests.torture.protocols import PROTOCOLS
from tests.torture.rack import torture
from tests.torture.story import tell


@dataclass(frozen=True)
class Part:
    """Every how many occasions one is tried, and of which scenes (none: of all).

    Steps and bytes are many and much alike, uses of the transport few and each another.
    All together about 9000 runs, of 2 ms; over TLS of 8.
    """

    steps: int
    bytes: int
    uses: int
    scenes: tuple[str, ...] = ()


PARTS = {
    "HTTP/1.1": Part(5, 13, 1),
    # Those that would take it.
    "HTTP/1.1, no lane": Part(
        7, 17, 2, ("kept", "pipelined", "answers", "lengths", "streamed length")
    ),
    # What differs is how it ends, and what is on its way then.
    "HTTP/1.1 over TLS": Part(41, 61, 5, ("answers", "until the end", "file to 1.0")),
    "HTTP/2": Part(9, 17, 2),
    "HTTP/2, no lane": Part(19, 41, 5, ("kept", "upload", "trailers", "tunnel")),
    "HTTP/2 over TLS": Part(61, 97, 7, ("three at once", "failing")),
}

CASES = [
    pytest.param(over, name, id=f"{over}: {name}")
    for over, spoken in PROTOCOLS.items()
    for name in PARTS[over].scenes or spoken.scenes
]
each = pytest.mark.parametrize(("over", "name"), CASES)


def stood(
    over: str, name: str, how: How | None, *, stride: int = 1, seed: int = 0
) -> None:
    # Each scene begins elsewhere, so that together they try more places.
    first = 1 + [*PROTOCOLS[over].scenes].index(name) % stride
    tally = torture(
        name, how, over=over, first=first, stride=stride, seed=seed, stop_at=3
    )
    assert tally.failures == []


@each
def test_undisturbed_all_of_it_is_heard_in_every_order(over: str, name: str) -> None:
    for seed in range(10):
        stood(over, name, None, seed=seed)


@each
@pytest.mark.parametrize("how", STEPS, ids=str)
def test_x3_a_step_at_which_the_server_stops_or_its_peer_leaves(
    over: str, name: str, how: How
) -> None:
    stood(over, name, how, stride=PARTS[over].steps)


@each
@pytest.mark.parametrize("how", BYTES, ids=str)
def test_s10_a_byte_after_which_the_peer_leaves(over: str, name: str, how: How) -> None:
    stood(over, name, how, stride=PARTS[over].bytes)


@each
@pytest.mark.parametrize("how", USES, ids=str)
def test_every_use_of_the_transport_goes_wrong(over: str, name: str, how: How) -> None:
    stride = PARTS[over].uses
    stood(over, name, how, stride=stride)
    if stride == 1:
        # Under another seed what comes, comes in other pieces.
        stood(over, name, how, stride=3, seed=7)


def test_a_close_that_crosses_the_servers_is_answered_at_every_step() -> None:
    tortured = torture("websocket", Stop.DRAIN, first=1, stride=1, seed=0, stop_at=3)
    assert tortured.failures == []


@pytest.mark.parametrize(
    ("over", "name"),
    [case for case in CASES if case.values[0] in {"HTTP/1.1", "HTTP/2"}],
)
def test_nobody_can_tell_whether_there_is_a_lane(over: str, name: str) -> None:
    scene = PROTOCOLS[over].scenes[name]
    for seed in range(5):
        told = []
        for lane in (True, False):
            outcome = tell(scene, seed=seed, line=Line(lane=lane))
            books = [
                (each.status, each.received, each.sent, each.ending)
                for each in outcome.records
            ]
            told.append((outcome.received, outcome.end, books))
        assert told[0] == told[1]


def test_a_transport_that_fails_at_the_goodbye_of_tls_is_closed_all_the_same() -> None:
    tally = torture("kept", Fault.CRASH, over="HTTP/1.1 over TLS")
    assert tally.points
    assert not tally.failures
