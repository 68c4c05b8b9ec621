"""RFC 9113, sentence by sentence: every case whole and byte by byte."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from tests.wire.h2.cases import CONNECTIONS, FRAMES, GREETING, Case
from tests.wire.h2.cases_blocks import BLOCKS
from tests.wire.h2.cases_kinds import KINDS
from tests.wire.h2.cases_messages import FIELDS, MESSAGES
from tests.wire.h2.cases_streams import STREAMS
from tests.wire.h2.heard import said
from tests.wire.talking import End, talking
from trioweb.message.request import Request
from trioweb.message.response import Response
from trioweb.wire.h2_codes import PREFACE

CASES = (*CONNECTIONS, *FRAMES, *BLOCKS, *KINDS, *STREAMS, *MESSAGES, *FIELDS)

# Bytes.  What is longer comes in pieces of so many, or it would take all day.
LONG = 1000


async def handler(request: Request) -> Response:
    if request.path == "/wait":
        await trio.sleep_forever()
    return Response(200, body=await request.body() or b"ok")


async def told(case: Case, step: int) -> tuple[list[str], bool]:
    """What is said when *case* is sent in pieces; and whether the connection ended."""
    sent = PREFACE + case.greeting + case.sent
    async with talking(handler) as talk:
        await talk.send(*[sent[at : at + step] for at in range(0, len(sent), step)])
        lines = said(talk.received)
        await trio.sleep(1)
        ended = talk.over.is_set()
        assert talk.end in {None, End.FIN}
        assert talk.logs == []
        talk.peer.abort()
        await talk.served.wait()
    return lines, ended


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_what_the_rfc_requires(
    case: Case, autojump_clock: trio.testing.MockClock
) -> None:
    size = len(case.sent) + 100
    for step in (size, 1 if size < LONG else 977):
        lines, ended = await told(case, step)
        assert lines[0] == "SETTINGS"
        if case.greeting == GREETING:
            lines.remove("SETTINGS ack")
        # Streams are answered when they are ready: their order means nothing.
        assert sorted(lines[1:]) == sorted(case.said)
        fatal = any(line.startswith("GOAWAY") for line in case.said)
        assert ended == fatal
        assert not fatal or lines[-1].startswith("GOAWAY")


def test_the_table_is_long_and_says_each_thing_once() -> None:
    names = [case.name for case in CASES]
    assert len(names) == len(set(names)) > 100
    assert {name[0] for name in names} >= set("345678")
