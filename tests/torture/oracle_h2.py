"""Oracle of HTTP/2: what is an honest answer there; the rest is as in HTTP/1.1."""

from __future__ import annotations

from collections.abc import Iterator

from tests.torture.faults import Fault
from tests.torture.harms import Stop
from tests.torture.oracle import (
    REFUSALS,
    Promises,
    does_its_work,
    ends,
    is_undisturbed,
    keeps_books,
    leaves_nothing,
    says_little,
    spares_others,
)
from tests.torture.scenes import COMPLETE, Said
from tests.torture.story import Outcome
from tests.wire.h2.heard import Response, responses
from tests.wire.talking import End


def whole(outcome: Outcome) -> Iterator[tuple[int, Response]]:
    """The answers that look whole, by where they were expected."""
    for stream, response in responses(outcome.received).items():
        if response.whole:
            yield (stream - 1) // 2, response


def is_honest(outcome: Outcome) -> Iterator[str]:
    """No cut response looks complete, and none is taken for what it is not."""
    expected, how = outcome.scene.heard, outcome.harm.how
    refusals = REFUSALS.get(how, set()) if isinstance(how, Fault) else set()
    count = 0
    for at, response in whole(outcome):
        count += 1
        said = expected[at] if at < len(expected) else None
        if not (said and _is(response, said)) and response.status not in refusals:
            yield f"stream {2 * at + 1} looks complete and is not: {response}"
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
    yield from is_undisturbed(outcome, End.FIN)


PROMISES: Promises = (
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
