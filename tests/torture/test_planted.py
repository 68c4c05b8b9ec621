"""The harness can fail: servers with a planted bug do not stand it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.torture.faults import Fault
from tests.torture.harms import Heard, How, Leave, Stop, Then
from tests.torture.planted import (
    AlarmedConnection,
    DeafConnection,
    Forgetful,
    HastyConnection,
    Idling,
    Littering,
    Lying,
    OpenHanded,
    Patient,
    PoliteConnection,
    RepeatingConnection,
    Shieldless,
    Talkative,
    UnbrokenConnection,
    WeakConnection,
    careless,
    concluding,
    inhospitable,
    leaking,
    serving,
    spinning,
)
from tests.torture.protocols import PROTOCOLS
from tests.torture.rack import torture
from tests.torture.story import Serve
from tests.wire.agreeing import on_the_lane


@dataclass(frozen=True)
class Plant:
    """A bug, the scene and the harm that bring it to light, and what is found."""

    serve: Serve
    scene: str
    how: How
    found: str
    over: str = "HTTP/1.1"


LEAVES = Heard(Leave.RESET)
PLANTED: dict[str, Plant] = {
    "content ended while unwinding": Plant(
        serving(PoliteConnection), "streamed", Stop.CANCEL, "looks complete"
    ),
    "closed and not broken off": Plant(
        serving(UnbrokenConnection), "until the end", Stop.CANCEL, "looks complete"
    ),
    "another answer after a torn write": Plant(
        serving(RepeatingConnection), "plain", Stop.CANCEL, "as if it had not"
    ),
    "an alarm that is kept": Plant(
        serving(AlarmedConnection), "plain", Fault.FAIL, "still to be woken"
    ),
    "deadlines that end nothing": Plant(
        serving(DeafConnection), "plain", Fault.STALL, "not end in its time"
    ),
    "a choice that does not count": Plant(
        serving(WeakConnection), "staying", Then(Leave.RESET), "kept us from work"
    ),
    "a shield that is none": Plant(
        serving(Shieldless), "finish", Stop.CANCEL, "was not done"
    ),
    "a record forgotten": Plant(
        serving(Forgetful), "streamed", LEAVES, "1 exchanges have 0 records"
    ),
    "a record told twice": Plant(
        serving(Talkative), "streamed", LEAVES, "1 exchanges have 2 records"
    ),
    "a record that is a lie": Plant(
        serving(Lying), "failing", Stop.DRAIN, "calls complete"
    ),
    "a file left open": Plant(
        serving(OpenHanded), "file", Fault.TORN, "file was left open"
    ),
    "a task left in a system nursery": Plant(
        serving(Littering), "plain", Stop.CANCEL, "1 tasks were left"
    ),
    "idle for ever": Plant(
        serving(Idling), "kept", Heard(Leave.CLOSE), "thought of as idle"
    ),
    "clean-up without a bound": Plant(
        serving(Patient), "handler's time", Fault.STALL, "not end in its time"
    ),
    "a transport left open": Plant(
        leaking, "plain", Stop.CANCEL, "transport was left open"
    ),
    "an exception let out": Plant(
        careless, "plain", Fault.CRASH, "reached its neighbours"
    ),
    "a loop that never waits": Plant(
        spinning, "plain", Stop.DRAIN, "kept everybody busy"
    ),
    "a goodbye after what was cut": Plant(
        serving(UnbrokenConnection),
        "until the end",
        Stop.CANCEL,
        "looks complete",
        "HTTP/1.1 over TLS",
    ),
    "everybody sent away": Plant(
        inhospitable, "plain", Fault.FAIL, "another connection was not answered"
    ),
}


@pytest.mark.parametrize("plant", PLANTED.values(), ids=PLANTED.keys())
def test_a_planted_bug_is_found(plant: Plant) -> None:
    tally = torture(plant.scene, plant.how, over=plant.over, serve=plant.serve)
    assert any(plant.found in failure for failure in tally.failures), tally.failures
    assert torture(plant.scene, plant.how, over=plant.over).failures == []


@on_the_lane
def test_half_an_answer_that_was_taken_at_once_is_found() -> None:
    tally = torture("answers", None, serve=serving(HastyConnection))
    assert any("what was heard is" in failure for failure in tally.failures)


@pytest.mark.skipif("HTTP/2" not in PROTOCOLS, reason="its library is not here")
def test_a_stream_that_ends_where_it_broke_off_is_found() -> None:
    tally = torture("failing", None, over="HTTP/2", serve=concluding)
    assert any("looks complete" in failure for failure in tally.failures)
