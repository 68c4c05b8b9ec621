"""The same request over either version is the same Request, and gets the same Response.

Invariant 13.  The requests and answers are made by chance; TESTS_LONG asks for ten
thousand of them.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field
from random import Random

import pytest
import trio

from tests.wire.h2.generated import Asked, Handler, Told, asked_by, told_by
from tests.wire.h2.peer import Answer, Peer, speaking
from tests.wire.talking import talking
from trioweb.message.exchange import Ending, Exchanged
from trioweb.testing.peer import BadResponse, RawPeer
from trioweb.wire.limits import Limits

# Requests of each seed.
COUNT = 1000 if os.environ.get("TESTS_LONG") else 100

# As long as the same connection is used for all of them; and no content is unread for
# which HTTP/1.1 would rather close.
LIMITS = Limits(requests=10**6)

BUFFER = 1 << 20

# What is about a connection, or says when it was said.
_OWN = {"connection", "transfer-encoding", "date"}


@dataclass
class Got:
    """What a peer has been answered."""

    status: int
    headers: dict[str, str]
    body: bytes
    complete: bool
    trailers: dict[str, str] = field(default_factory=dict)
    hints: int = 0


MALFORMED = Got(0, {}, b"", complete=False)


@pytest.mark.parametrize("seed", range(10))
async def test_both_versions_ask_and_answer_alike(seed: int) -> None:
    chance = Random(seed)
    one, two = Handler(), Handler()
    async with speaking(two, limits=LIMITS, buffer=BUFFER) as peer:
        for number in range(COUNT):
            asked, told = asked_by(chance), told_by(chance)
            first, record = await by_1(one, asked, told)
            second = await by_2(peer, two, asked, told)
            if second == MALFORMED:
                # What HTTP/1.1 answers, HTTP/2 resets (RFC 9113 section 8.1.1).
                assert (first.status, record.ending) == (400, Ending.REFUSED)
                continue
            assert not peer.goaways, number
            place = f"{told.form} seed {seed}, number {number}: {asked} {told}"
            assert one.seen == two.seen, place
            # A reset of HTTP/1.1's connection eats what came before it.
            if told.form == "long" and not second.complete:
                # As long as was declared it may well look whole on HTTP/1.1, which then
                # breaks off: there is no more to be said of it there.
                first.complete = False
            alike = first == second if first.complete else not second.complete
            assert alike, f"{brief(first)} {brief(second)} {place}"
            assert ended(record) == ended(peer.talk.records[-1]), place
            one.seen.facts, two.seen.facts = [], []


def ended(record: Exchanged) -> tuple[object, ...]:
    """What is recorded of an exchange, but for sizes on the wire and times."""
    return record.method, record.target, record.route, record.status, record.ending


async def by_1(handler: Handler, asked: Asked, told: Told) -> tuple[Got, Exchanged]:
    handler.told = told
    async with talking(handler, limits=LIMITS, buffer=BUFFER, listen=False) as talk:
        raw = RawPeer(talk.peer)
        await raw.send(written(asked))
        got = await heard(raw, asked.method)
        # What is left unread must not look like a peer that gave up.
        with contextlib.suppress(trio.BrokenResourceError):
            await talk.peer.send_eof()
            while await raw.receive():
                pass
        await talk.peer.aclose()
        await talk.served.wait()
    return got, talk.records[0]


async def heard(raw: RawPeer, method: str) -> Got:
    status, headers, body, trailers, hints = 0, dict[str, str](), b"", {}, 0
    complete = False
    try:
        response = await raw.response(to=method)
        status, headers = response.status, own(dict(response.headers.pairs()))
        hints = sum(each.status == 103 for each in response.interim)
        async for piece in response:
            body += piece
        trailers = dict(response.trailers.items())
        complete = True
    except (BadResponse, trio.BrokenResourceError):
        pass
    return Got(status, headers, body, complete, trailers, hints)


def written(asked: Asked) -> bytes:
    """The request as HTTP/1.1 writes it."""
    fields = [("host", "a"), *asked.fields]
    if asked.cookies:
        fields.append(("cookie", "; ".join(asked.cookies)))
    body = asked.body or b""
    if asked.body is not None and asked.declared:
        fields.append(("content-length", str(len(body))))
    elif asked.body is not None:
        fields.append(("transfer-encoding", "chunked"))
        chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
        last = "".join(f"{name}: {value}\r\n" for name, value in asked.trailers)
        body = chunk + b"0\r\n" + last.encode() + b"\r\n"
    lines = [f"{asked.method} {asked.target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in fields]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


async def by_2(peer: Peer, handler: Handler, asked: Asked, told: Told) -> Got:
    handler.told = told
    fields = [*asked.fields, *(("cookie", crumb) for crumb in asked.cookies)]
    if asked.body is not None and asked.declared:
        fields.append(("content-length", str(len(asked.body))))
    stream = peer.queue(
        asked.target,
        method=asked.method,
        fields=fields,
        body=asked.body,
        end=not asked.trailers,
    )
    if asked.trailers:
        peer.library.send_headers(stream, asked.trailers, end_stream=True)
    await peer.flush()
    answer = peer.answers.pop(stream, Answer())
    return Got(
        answer.status,
        own(answer.headers),
        answer.body,
        answer.complete,
        answer.trailers,
        sum(status == 103 for status in answer.interim),
    )


def brief(got: Got) -> str:
    """Enough of it to see what is different."""
    said = f"{got.status} {got.headers} {len(got.body)} bytes"
    return f"{said} {'whole' if got.complete else 'cut'} {got.trailers} {got.hints}"


def own(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in _OWN}
