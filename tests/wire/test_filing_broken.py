"""Files on real connections that shrink, grow, are not taken, or whose peer leaves."""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path

import pytest
import trio
import trio.testing

from tests.run.crowds import place, reset, until
from tests.wire.answering import broken, giving
from tests.wire.filed import (
    CONTENT,
    KIB,
    LAST,
    MIB,
    both,
    fetched,
    filed,
    known,
    of,
    opened,
)
from tests.wire.handlers import GET, file_of
from tests.wire.talking import End, answers, say
from trioweb import Request, Response
from trioweb.wire.filing import PASSED
from trioweb.wire.limits import Limits

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="elsewhere files are read in threads"
)


@both
@pytest.mark.parametrize("kept", [0, MIB, 3 * MIB + 1], ids=str)
async def test_a_file_that_shrinks_while_it_is_sent_is_cut_visibly(
    kept: int, portable: bool, tmp_path: Path
) -> None:
    path = known(tmp_path / "a", CONTENT * 8)
    async with filed(of(path), portable=portable) as there:
        await there.peer.send_all(LAST)
        await there.take(MIB)
        with path.open("r+b") as file:
            file.truncate(kept)
        await there.listen()
        assert there.end is End.RESET
        assert len(there.received) < len(CONTENT) * 8
        assert [record.ending.value for record in there.records] == ["failed"]
        assert "it has shrunk" in str(there.logs[0].exc_info)


async def test_one_that_has_shrunk_to_nothing_before_is_a_500(tmp_path: Path) -> None:
    path = known(tmp_path / "a", CONTENT)

    async def handler(request: Request) -> Response:
        body = opened(path)
        path.write_bytes(b"")
        return Response(200, body=body)

    async with filed(handler) as there:
        await there.peer.send_all(LAST)
        await there.listen()
        (got,) = answers(there)
        assert (got.status, there.end) == (500, End.FIN)


async def test_what_grows_is_sent_as_long_as_was_said(tmp_path: Path) -> None:
    path = known(tmp_path / "a", CONTENT)

    async def handler(request: Request) -> Response:
        body = opened(path)
        with path.open("ab") as file:
            file.write(b"more")
        return Response(200, body=body)

    async with filed(handler) as there:
        assert await fetched(there) == CONTENT


@both
async def test_s4_a_peer_that_takes_nothing_of_a_file_is_reset(
    portable: bool, tmp_path: Path
) -> None:
    path = known(tmp_path / "a", CONTENT * 8)
    limits = Limits(stall=0.4, look=0.1)
    async with filed(of(path), limits, portable=portable) as there:
        await there.peer.send_all(LAST)
        await there.take(1)
        began = time.monotonic()
        await until(lambda: bool(there.records))
        assert 0.3 < time.monotonic() - began < 10
        assert [record.ending.value for record in there.records] == ["timeout"]
        await there.listen()
        assert there.end is End.RESET


async def test_s4_one_that_takes_it_steadily_is_not(tmp_path: Path) -> None:
    path = known(tmp_path / "a", CONTENT * 4)
    async with filed(of(path), Limits(stall=0.8, look=0.1)) as there:
        await there.peer.send_all(LAST)
        for _ in range(30):
            await there.take(128 * KIB)
            await trio.sleep(0.05)
        await there.listen()
        assert (there.end, len(answers(there)[0].body)) == (End.FIN, 4 * len(CONTENT))


@both
async def test_a_peer_that_leaves_in_the_middle_is_no_news(
    portable: bool, tmp_path: Path
) -> None:
    path = known(tmp_path / "a", CONTENT * 8)
    async with filed(of(path), portable=portable) as there:
        await there.peer.send_all(LAST)
        await there.take(MIB)
        reset(there.peer)
        await until(lambda: bool(there.records))
        assert [record.ending.value for record in there.records] == ["gone"]
        assert there.logs == []


async def test_a_peer_that_takes_all_at_once_leaves_others_their_turn(
    tmp_path: Path,
) -> None:
    path = known(tmp_path / "a", CONTENT * 4)
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            await trio.lowlevel.checkpoint()
            turns += 1

    async with filed(of(path)) as there, trio.open_nursery() as others:
        others.start_soon(other)
        await there.peer.send_all(LAST)
        await there.listen()
        others.cancel_scope.cancel()
    assert turns >= 4 * len(CONTENT) // PASSED - 1


@both
async def test_a_server_that_stops_cuts_what_is_not_taken(
    portable: bool, tmp_path: Path
) -> None:
    path = known(tmp_path / "a", CONTENT * 8)
    async with filed(of(path), portable=portable) as there:
        await there.peer.send_all(LAST)
        await there.take(MIB)
        there.serving.cancel()
        await there.listen()
        assert (there.end, there.logs) == (End.RESET, [])
        assert [record.ending.value for record in there.records] == ["stopped"]


async def test_a_file_shorter_than_declared_breaks_off_visibly(
    autojump_clock: trio.testing.MockClock,
) -> None:
    broken(await say(giving(file_of(b"hello"), content_length="9"), GET))


async def test_s10_a_peer_may_leave_after_any_byte(tmp_path: Path) -> None:
    path = known(tmp_path / "a", CONTENT)
    dice = random.Random(8)
    async with place(of(path)) as server:
        for _ in range(50):
            stream = await server.connect()
            await stream.send_all(LAST)
            left = dice.randrange(len(CONTENT))
            while left > 0:
                left -= len(await stream.receive_some(left))
            reset(stream)
        assert (await server.asked()).endswith(CONTENT)
    assert server.logs == []
