"""Oracle: was everything kept that is promised of every connection?

A promise is a function that yields what was not kept of it, in words; none of them
knows how the wire does it, so they stay for every other protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.torture.faults import Fault
from tests.torture.harms import Heard, Sent, Stop, Then
from tests.torture.scenes import Promise, Said
from tests.torture.sockets import Conversation
from tests.torture.story import Outcome
from tests.wire.talking import Answer, End, answers
from trioweb.message.exchange import Ending


def ends(outcome: Outcome) -> Iterator[str]:
    timed = not outcome.scene.switches or outcome.harm.how is not Fault.STALL
    if timed and not outcome.over:
        yield "it did not end in its time"
    if not outcome.quiet:
        yield "it kept everybody busy"
    if outcome.escaped:
        yield f"its exception reached its neighbours: {outcome.escaped}"
    if not outcome.closed:
        yield "its transport was left open"


def leaves_nothing(outcome: Outcome) -> Iterator[str]:
    ground = outcome.ground
    if outcome.tasks:
        yield f"{outcome.tasks} tasks were left"
    if not all(file.source.closed for file in ground.files):
        yield "a file was left open"
    if ground.inside:
        yield "a handler was left at work"
    if outcome.idle:
        yield "it is still thought of as idle"
    if outcome.alarms:
        yield "somebody is still to be woken for it"


def spares_others(outcome: Outcome) -> Iterator[str]:
    if not outcome.alive:
        yield "the next request of another connection was not answered"


def says_little(outcome: Outcome) -> Iterator[str]:
    allowed = outcome.scene.logs + (outcome.harm.how is Fault.CRASH)
    if len(outcome.logs) > allowed:
        told = [log.getMessage() for log in outcome.logs]
        yield f"the error log got {told}"


def keeps_books(outcome: Outcome) -> Iterator[str]:
    asked = [record for record in outcome.records if record.method]
    if len(asked) != outcome.ground.calls:
        yield f"{outcome.ground.calls} exchanges have {len(asked)} records"
    for record in outcome.records:
        if not record.method and record.status is None:
            yield "there is a record of nothing"


def is_honest(outcome: Outcome) -> Iterator[str]:
    """No cut response looks complete, and none is taken for what it is not."""
    expected = outcome.scene.heard
    found = heard(outcome)
    for at, answer in enumerate(found):
        if answer.complete:
            said = expected[at] if at < len(expected) else None
            last = at == len(found) - 1
            if not (said and _is(answer, said)) and not _refuses(outcome, answer, last):
                yield f"response {at + 1} looks complete and is not: {answer}"
    if outcome.end is End.FIN and found and not _ended(outcome, found[-1]):
        yield "a response that broke off ended as if it had not"
    complete = [found for found in outcome.records if found.ending is Ending.COMPLETE]
    if outcome.end is End.FIN and not outcome.scene.switches:
        if len(complete) > sum(answer.complete for answer in found):
            yield "a record calls complete what the peer never got"


def heard(outcome: Outcome) -> list[Answer]:
    """The responses the peer has got, each to what it had asked."""
    # What is refused before its method is known is answered as a GET would be.
    known = sum(bool(record.method) for record in outcome.records)
    return answers(outcome, [said.to for said in outcome.scene.heard[:known]])


def _ended(outcome: Outcome, answer: Answer) -> bool:
    switched = answer.interim[-1:] == [101] and outcome.scene.switches
    # Nothing, or nothing but interim responses, is the beginning of none.
    unbegun = not answer.status and outcome.received.endswith(b"\r\n\r\n")
    return answer.complete or switched or unbegun


def _is(answer: Answer, said: Said) -> bool:
    if said.status == 101:
        return answer.interim == [101]
    body_is = answer.body == said.body or said.status >= 400
    return answer.status == said.status and body_is


# What else a peer may be told, by what was done to the connection.
REFUSALS: dict[Fault | Stop, set[int]] = {
    Fault.PAUSE: {408, 503},
    Fault.STALL: {408, 503},
    Fault.CRASH: {500},
    Stop.DRAIN: {408},
}


def _refuses(outcome: Outcome, answer: Answer, last: bool) -> bool:
    how = outcome.harm.how
    allowed = REFUSALS.get(how, set()) if isinstance(how, Fault | Stop) else set()
    closes = "close" in answer.headers.get("connection", "")
    return last and closes and answer.status in allowed


def tunnels(outcome: Outcome) -> Iterator[str]:
    """What comes after a switch ends as an end only when it has ended."""
    whole = outcome.scene.tunnel
    head, _, said = outcome.received.partition(b"\r\n\r\n")
    if whole is None or outcome.end is not End.FIN or b" 101 " not in head:
        return
    if not whole.startswith(said):
        yield f"the tunnel said {said!r}"
    if said != whole and not _has_left(outcome):
        yield "a tunnel that broke off ended as if it had not"


def speaks_websocket(outcome: Outcome) -> Iterator[str]:
    """What is said is not taken back, and a Close is the last of it."""
    expected = outcome.scene.messages
    head, _, said = outcome.received.partition(b"\r\n\r\n")
    if expected is None or b" 101 " not in head:
        return
    heard = Conversation(said)
    if heard.more:
        yield f"it said {heard.more!r} after its Close"
    if heard.messages != [*expected[: len(heard.messages)]]:
        yield f"it said {heard.messages}"
    # A fault of our own may end it so; to its peer that is no end (RFC 6455 7.1.5).
    ours = outcome.harm.how is Fault.CRASH
    silent = outcome.end is End.FIN and heard.code is None
    if silent and not (ours or _has_left(outcome)):
        yield "it ended without a Close"
    # Under another seed the Close may come before there was time to answer it all.
    undisturbed = outcome.harm.how is None and outcome.seed == 0
    if undisturbed and (*heard.messages, heard.code) != (*expected, 1000):
        yield f"it said {heard.messages}, and closed with {heard.code}"


def _has_left(outcome: Outcome) -> bool:
    return isinstance(outcome.harm.how, Sent | Heard | Then)


def does_its_work(outcome: Outcome) -> Iterator[str]:
    """Work that nobody may keep from being done is done."""
    spoiled = outcome.ground.begun != outcome.ground.done
    by_us = outcome.harm.how in {Stop.CANCEL, Fault.CANCELLED}
    match outcome.scene.promise:
        case Promise.ANYBODY if spoiled:
            yield "work that was begun was not done"
        case Promise.PEER if spoiled and not by_us:
            yield "the peer kept us from work that was begun"


def stops_politely(outcome: Outcome) -> Iterator[str]:
    """A server that begins to stop answers whoever it has begun to listen to."""
    if outcome.harm.how is not Stop.DRAIN:
        return
    asked = [record.ending for record in outcome.records if record.method]
    if asked != list(outcome.scene.endings[: len(asked)]):
        yield f"stopping, it ended with {asked}"
    whole = [answer for answer in heard(outcome) if answer.complete]
    if len(whole) < len(asked) and not (outcome.scene.broken or outcome.scene.switches):
        yield f"stopping, it answered {len(whole)} of {len(asked)} requests"


def is_whole(outcome: Outcome) -> Iterator[str]:
    """Undisturbed, all of it is heard."""
    if outcome.harm.how is not None:
        return
    scene = outcome.scene
    found = heard(outcome)
    whole = [answer for answer in found if answer.complete or scene.switches]
    if len(whole) != len(scene.heard) or not all(map(_is, whole, scene.heard)):
        yield f"what was heard is {found}"
    yield from is_undisturbed(outcome, End.RESET if scene.broken else End.FIN)


def is_undisturbed(outcome: Outcome, end: End) -> Iterator[str]:
    """It ends with *end*, as its scene says, and as its records say."""
    endings = tuple(record.ending for record in outcome.records)
    if endings != outcome.scene.endings:
        yield f"it ended with {endings}"
    if len(outcome.logs) != outcome.scene.logs:
        yield f"there are {len(outcome.logs)} log records"
    if outcome.end is not end:
        yield f"it ended with {outcome.end}"


Promises = tuple[Callable[[Outcome], Iterator[str]], ...]

PROMISES: Promises = (
    ends,
    leaves_nothing,
    spares_others,
    says_little,
    keeps_books,
    is_honest,
    tunnels,
    speaks_websocket,
    does_its_work,
    stops_politely,
    is_whole,
)
