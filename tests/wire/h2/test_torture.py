"""Whatever is done to an HTTP/2 connection, and wherever: no cut response looks whole.

The stories, harms and promises are those of the torture of HTTP/1.1; the scenes and
what is an honest answer are HTTP/2's.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest

from tests.torture.faults import Fault
from tests.torture.harms import BYTES, NOTHING, STEPS, USES, Harm, How, Stop
from tests.torture.oracle import (
    does_its_work,
    ends,
    keeps_books,
    leaves_nothing,
    says_little,
    spares_others,
)
from tests.torture.scenes import (
    COMPLETE,
    COUNTED,
    FAILED,
    HELLO,
    TIMEOUT,
    Promise,
    Said,
    Scene,
    alike,
    failing,
    filed,
    finishing,
    late,
    nursery,
    plain,
    shrunk,
    slow,
    staying,
    trailing,
    tunnelling,
)
from tests.torture.story import Outcome, Serve, tell
from tests.wire.h2.heard import Response, responses
from tests.wire.h2.written import (
    END,
    LAST_OF_BLOCK,
    data,
    get,
    head,
    pack,
    post,
    settings,
    trailers,
    window,
)
from tests.wire.handlers import echo
from tests.wire.talking import End
from trioweb.wire import connection
from trioweb.wire.h2_codes import PREFACE, Code, Kind, Setting, frame, goaway

# Occasions that one scene can have for a harm: a bound for a loop, never reached.
MOST = 9000

# Every how many occasions one is tried; all together about 3000 runs, of 3 ms.
STEPS_STRIDE = 9
BYTES_STRIDE = 17
USES_STRIDE = 2

ACK = frame(Kind.SETTINGS, 0, b"", 1)
BEGIN = PREFACE + settings() + ACK
# Nothing more is asked, so that the connection ends behind its last answer.
LAST = goaway(0, Code.NO_ERROR)

NARROW = PREFACE + settings((Setting.INITIAL_WINDOW_SIZE, 4)) + ACK
CONNECT = frame(
    Kind.HEADERS,
    1,
    pack([(b":protocol", b"any")]) + head(method=b"CONNECT"),
    LAST_OF_BLOCK,
)
HEAD = frame(Kind.HEADERS, 1, head(method=b"HEAD"), END | LAST_OF_BLOCK)
UPLOAD = (data(1, b"hello"), data(1, b" world", END))

SCENES: dict[str, Scene] = {
    "plain": Scene(alike(plain), (BEGIN + get(1) + LAST,), (HELLO,)),
    "kept": Scene(
        alike(plain), (BEGIN + get(1), get(3) + LAST), (HELLO,) * 2, (COMPLETE,) * 2
    ),
    "three at once": Scene(
        alike(late),
        (BEGIN + get(1) + get(3) + get(5) + LAST,),
        (COUNTED,) * 3,
        (COMPLETE,) * 3,
    ),
    "upload": Scene(alike(echo), (BEGIN + post(1), *UPLOAD, LAST), (HELLO,)),
    "trailers": Scene(
        alike(trailing),
        (BEGIN + post(1), UPLOAD[0] + data(1, b" world"), trailers(1) + LAST),
        (HELLO,),
    ),
    "narrow": Scene(
        alike(late), (NARROW + get(1), window(1, 4), window(1, 9) + LAST), (COUNTED,)
    ),
    "file": Scene(filed, (BEGIN + get(1) + LAST,), (HELLO,)),
    "head": Scene(alike(late), (BEGIN + HEAD + LAST,), (Said(b"", to="HEAD"),)),
    "nursery": Scene(alike(nursery), (BEGIN + get(1) + LAST,), (HELLO,)),
    "finish": Scene(
        finishing, (BEGIN + get(1) + LAST,), (HELLO,), promise=Promise.ANYBODY
    ),
    "staying": Scene(staying, (BEGIN + get(1) + LAST,), (HELLO,), promise=Promise.PEER),
    "tunnel": Scene(
        alike(tunnelling),
        (BEGIN + CONNECT + data(1, b"hello "), data(1, b"bye") + LAST),
        (Said(b"hello bye"),),
        tunnel=b"hello bye",
    ),
    "handler's time": Scene(
        alike(slow), (BEGIN + get(1) + LAST,), (Said(b"", 503),), (TIMEOUT,)
    ),
    "failing": Scene(
        alike(failing), (BEGIN + get(1) + LAST,), (), (FAILED,), 1, broken=True
    ),
    "shrunk file": Scene(
        shrunk, (BEGIN + get(1) + LAST,), (), (FAILED,), 1, broken=True
    ),
}


# What else a peer may be told, by what was done to the connection.
REFUSALS: dict[How | None, set[int]] = {
    Fault.PAUSE: {408, 503},
    Fault.STALL: {408, 503},
    Fault.CRASH: {500},
}


def whole(outcome: Outcome) -> Iterator[tuple[int, Response]]:
    """The answers that look whole, by where they were expected."""
    for stream, response in responses(outcome.received).items():
        if response.whole:
            yield (stream - 1) // 2, response


def is_honest(outcome: Outcome) -> Iterator[str]:
    expected = outcome.scene.heard
    count = 0
    for at, response in whole(outcome):
        count += 1
        said = expected[at] if at < len(expected) else None
        if said is None or not _is(response, said):
            if response.status not in REFUSALS.get(outcome.harm.how, set()):
                yield f"stream {2 * at + 1} looks whole and is not: {response}"
    complete = [each for each in outcome.records if each.ending is COMPLETE]
    if outcome.end is End.FIN and len(complete) > count:
        yield "a record calls complete what the peer never got"


def _is(response: Response, said: Said) -> bool:
    return response.status == said.status and (
        response.body == said.body or said.status >= 400
    )


def does_work(outcome: Outcome) -> Iterator[str]:
    """Our own fault, in the task that writes for all of them, ends all streams."""
    if outcome.harm.how is not Fault.CRASH:
        yield from does_its_work(outcome)


def stops_politely(outcome: Outcome) -> Iterator[str]:
    """A server that begins to stop answers whoever it has begun to listen to."""
    if outcome.harm.how is Stop.DRAIN and not outcome.scene.broken:
        asked = sum(bool(record.method) for record in outcome.records)
        if len([*whole(outcome)]) < asked:
            yield f"stopping, it did not answer all of {asked} requests"


def is_whole(outcome: Outcome) -> Iterator[str]:
    """Undisturbed, all of it is heard."""
    if outcome.harm.how is not None:
        return
    found = dict(whole(outcome))
    if [*sorted(found)] != [*range(len(outcome.scene.heard))]:
        yield f"what was heard whole is {found}"
    endings = tuple(record.ending for record in outcome.records)
    if endings != outcome.scene.endings:
        yield f"it ended with {endings}"
    if len(outcome.logs) != outcome.scene.logs:
        yield f"there are {len(outcome.logs)} log records"
    if outcome.end is not End.FIN:
        yield f"it ended with {outcome.end}"


PROMISES: tuple[Callable[[Outcome], Iterator[str]], ...] = (
    ends,
    leaves_nothing,
    spares_others,
    says_little,
    keeps_books,
    does_work,
    is_honest,
    stops_politely,
    is_whole,
)


@dataclass
class Tally:
    """Runs, and what was not stood."""

    runs: int = 0
    failures: tuple[str, ...] = ()


def torture(
    name: str,
    how: How | None,
    *,
    first: int = 1,
    stride: int = 1,
    seed: int = 0,
    serve: Serve = connection.serve,
) -> Tally:
    """Do *how* at every *stride*-th occasion, until there is none or three failed."""
    scene, tally = SCENES[name], Tally()
    for at in itertools.count(first, stride):
        harm = NOTHING if how is None else Harm(how, at)
        outcome = tell(scene, harm, seed=seed, serve=serve)
        found = [fault for promise in PROMISES for fault in promise(outcome)]
        tally.runs += 1
        if found:
            tally.failures += (f"{name}, {harm}, seed {seed}: {'; '.join(found)}",)
        if not outcome.struck or how is None or len(tally.failures) == 3:
            return tally
        assert at < MOST
    raise AssertionError


def stood(name: str, how: How | None, stride: int = 1, seed: int = 0) -> None:
    # Each scene begins elsewhere, so that together they try more places.
    first = 1 + [*SCENES].index(name) % stride
    tally = torture(name, how, first=first, stride=stride, seed=seed)
    assert tally.failures == ()


each = pytest.mark.parametrize("name", SCENES)


@each
def test_undisturbed_all_of_it_is_heard_in_every_order(name: str) -> None:
    for seed in range(10):
        stood(name, None, seed=seed)


@each
@pytest.mark.parametrize("how", STEPS, ids=str)
def test_a_step_at_which_the_server_stops_or_its_peer_leaves(
    name: str, how: How
) -> None:
    stood(name, how, STEPS_STRIDE)


@each
@pytest.mark.parametrize("how", BYTES, ids=str)
def test_a_byte_after_which_the_peer_leaves(name: str, how: How) -> None:
    stood(name, how, BYTES_STRIDE)


@each
@pytest.mark.parametrize("how", USES, ids=str)
def test_every_use_of_the_transport_goes_wrong(name: str, how: How) -> None:
    stood(name, how, USES_STRIDE)


def test_the_harness_finds_an_answer_that_ends_early() -> None:
    outcome = tell(SCENES["plain"], NOTHING)
    assert [*is_honest(outcome)] == []
    cut = replace(outcome, scene=replace(outcome.scene, heard=(COUNTED,)))
    assert [*is_honest(cut)]
