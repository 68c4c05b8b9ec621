"""What a lane does otherwise than h11 is found: by the properties, and by fuzz."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

import pytest

from tests.fuzz.corpus import CORPUS
from tests.fuzz.differences import READS, WRITES, planted
from tests.fuzz.targets import lane
from tests.wire.agreeing import Reads, Writes, on_the_lane, reads_alike, writes_alike
from trioweb.message.response import Response
from trioweb.rules.headers import Headers

SEEDS = CORPUS["lane"]
HEADS = [seed.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" for seed in SEEDS]
ANSWERS = [
    Response(200, (), "é".encode()),
    Response(204),
    Response(200, [("set-cookie", "a=1"), ("set-cookie", "b=2")]),
    Response(200, Headers.from_wire([(b"a", b"b\r\nc: d")])),
]

each_reading = pytest.mark.parametrize("reads", READS.values(), ids=READS)
each_writing = pytest.mark.parametrize("writes", WRITES.values(), ids=WRITES)


def fails(checks: Iterable[Callable[[], object]]) -> bool:
    """Whether one of them does, in whatever way."""
    for check in checks:
        try:
            check()
        except Exception:  # noqa: BLE001  # it is what is looked for
            return True
    return False


@each_reading
def test_a_head_that_is_read_otherwise_is_found(reads: Reads) -> None:
    assert fails(partial(reads_alike, raw, reads) for raw in HEADS)


@each_writing
def test_an_answer_that_is_written_otherwise_is_found(writes: Writes) -> None:
    assert fails(partial(writes_alike, answer, writes) for answer in ANSWERS)


@on_the_lane
@each_reading
def test_fuzz_finds_a_head_that_is_read_otherwise(reads: Reads) -> None:
    with planted(reads=reads):
        assert fails(partial(lane, data) for data in SEEDS)


@on_the_lane
@each_writing
def test_fuzz_finds_an_answer_that_is_written_otherwise(writes: Writes) -> None:
    with planted(writes=writes):
        assert fails(partial(lane, data) for data in SEEDS)


def test_a_lane_that_strays_nowhere_stands_it() -> None:
    assert not fails(partial(reads_alike, raw) for raw in HEADS)
    assert not fails(partial(writes_alike, answer) for answer in ANSWERS)
    assert not fails(partial(lane, data) for data in SEEDS)
