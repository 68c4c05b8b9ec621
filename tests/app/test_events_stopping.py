"""Streams of events when the server stops: each with its goodbye, none in the way."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import pytest
import trio
import trio.testing

from tests.app.telling import GET, OPENING, QUIETLY, answering, forever
from trioweb import App, EventStream, Request, Response, events
from trioweb.app.events import PARTING, RETURN
from trioweb.run.config import Config
from trioweb.run.serving import serving
from trioweb.testing import MemoryTransport, RawPeer, memory_pair

Clock = trio.testing.MockClock


@dataclass
class Ending:
    """What came on a stream whose server was stopped, and when, in seconds."""

    pieces: list[tuple[float, bytes]] = field(default_factory=list)
    cut: bool = False
    stopped: float = 0  # since the stop, when the server had ended

    async def read(self, ours: MemoryTransport, slow: float) -> None:
        """Ask, and read what comes from *slow* seconds on."""
        await ours.send_all(GET)
        peer = RawPeer(ours)
        response = await peer.response()
        await trio.sleep(slow)
        try:
            async for piece in response:
                self.pieces.append((trio.current_time(), piece))
        except trio.BrokenResourceError:
            self.cut = True
        await ours.aclose()

    @property
    def said(self) -> bytes:
        return b"".join(piece for _, piece in self.pieces)


async def ending(
    app: App, *, after: float = 1, grace: float = 30, slow: float = 0
) -> Ending:
    """How a stream ends when the server is stopped *after* seconds."""
    found = Ending()
    ours, theirs = memory_pair()
    config = Config(access_log="off", grace=grace)
    async with trio.open_nursery() as reading:
        async with serving(app, config) as server:
            server.accept(theirs)
            reading.start_soon(found.read, ours, slow)
            await trio.sleep(after)
            stop = trio.current_time()
        found.stopped = trio.current_time() - stop
    return found


async def test_a_stop_tells_when_to_come_back_and_ends_the_stream(
    autojump_clock: Clock,
) -> None:
    # Not all of them at once.
    spread = set()
    for _ in range(20):
        found = await ending(answering(forever))
        assert (found.cut, found.stopped) == (False, 0)
        last = re.fullmatch(rb"retry: 3000\n\nretry: (\d+)\n\n", found.said)
        assert last
        spread.add(int(last[1]))
    assert len(spread) > 1
    assert RETURN[0] <= min(spread) <= max(spread) <= RETURN[1]


async def test_a_stop_sends_the_newest_goodbye(autojump_clock: Clock) -> None:
    async def talk(stream: EventStream) -> None:
        stream.goodbye("never said")
        await stream.send("hello")
        stream.goodbye({"at": 9}, event="bye", id=9)
        await trio.sleep_forever()

    found = await ending(answering(talk))
    assert found.said.endswith(b'event: bye\nid: 9\ndata: {"at":9}\n\n')
    assert (found.pieces[-1][0] - found.pieces[0][0], found.cut) == (1, False)


async def test_without_retry_a_stop_says_the_goodbye_alone(
    autojump_clock: Clock,
) -> None:
    async def talk(stream: EventStream) -> None:
        stream.goodbye(event="bye")
        await trio.sleep_forever()

    found = await ending(answering(talk, retry=None))
    assert (found.said, found.cut) == (b"event: bye\ndata: \n\n", False)
    assert (await ending(answering(forever, retry=None))).said == b""


async def test_a_talk_that_hears_of_the_stop_itself_has_its_goodbye_too(
    autojump_clock: Clock,
) -> None:
    app = App()

    @app.get("/")
    async def handler(request: Request) -> Response:
        async def talk(stream: EventStream) -> None:
            stream.goodbye("bye")
            with trio.CancelScope(shield=True):
                await request.draining.wait()
                await stream.send("last")

        return events(talk)

    found = await ending(app)
    assert b"data: last\n\nretry: " in found.said
    assert found.said.endswith(b"\ndata: bye\n\n")


async def test_a_talk_that_has_ended_before_has_no_goodbye(
    autojump_clock: Clock,
) -> None:
    async def talk(stream: EventStream) -> None:
        stream.goodbye("bye")

    found = await ending(answering(talk))
    assert found.said == OPENING


async def test_an_event_that_is_under_way_at_a_stop_arrives_whole(
    autojump_clock: Clock,
) -> None:
    async def talk(stream: EventStream) -> None:
        while True:
            await stream.send("x" * 200_000)

    # It reads nothing before the third second, and the stop is at the first.
    found = await ending(answering(talk), slow=3)
    _opening, whole, last = found.said.split(b"\n\n", 2)
    assert whole == b"data: " + b"x" * 200_000
    assert last.startswith(b"retry: ")
    assert last.endswith(b"\n\n")
    assert (found.cut, found.stopped) == (False, 2)


async def test_who_reads_nothing_does_not_hold_a_stop(
    autojump_clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    async def talk(stream: EventStream) -> None:
        while True:
            await stream.send("x" * 200_000)

    found = await ending(answering(talk), slow=60)
    assert (found.cut, found.stopped) == (True, PARTING)
    found = await ending(answering(talk), slow=60, grace=2)
    assert (found.cut, found.stopped) == (True, 2)
    assert not caplog.records


async def test_a_ping_that_nobody_takes_does_not_hold_a_stop(
    autojump_clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    async def talk(stream: EventStream) -> None:
        await trio.sleep(1)
        # With its framing as much as the connection holds: there it stays.
        await stream.send("x" * 65_520)
        await trio.sleep_forever()

    class Deaf(Ending):
        async def read(self, ours: MemoryTransport, slow: float) -> None:
            await ours.send_all(GET)
            await ours.receive_some()
            await trio.sleep(60)

    found = Deaf()
    ours, theirs = memory_pair()
    async with trio.open_nursery() as reading:
        async with serving(answering(talk), QUIETLY) as server:
            server.accept(theirs)
            reading.start_soon(found.read, ours, 0)
            await trio.sleep(20)
            stop = trio.current_time()
        assert trio.current_time() - stop == PARTING
        reading.cancel_scope.cancel()
    assert not caplog.records


async def test_a_goodbye_that_nobody_takes_does_not_hold_a_stop(
    autojump_clock: Clock,
) -> None:
    async def talk(stream: EventStream) -> None:
        stream.goodbye("x" * 200_000)
        await trio.sleep_forever()

    found = await ending(answering(talk), slow=60)
    assert (found.cut, found.stopped) == (True, PARTING)


async def test_who_asks_while_the_server_stops_is_sent_away_at_once(
    autojump_clock: Clock,
) -> None:
    started: list[float] = []

    async def talk(stream: EventStream) -> None:
        started.append(trio.current_time())
        await trio.sleep_forever()

    async def again(peer: RawPeer) -> None:
        assert (await peer.request("GET", "/none")).status == 404
        await trio.sleep(1.5)
        start = trio.current_time()
        response = await peer.request("GET", "/")
        assert response.headers["connection"] == "close"
        assert (await response.body()).startswith(OPENING + b"retry: ")
        assert trio.current_time() == start == started[0]

    app = App()

    @app.get("/")
    async def handler(request: Request) -> Response:
        return events(talk)

    ours, theirs = memory_pair()
    async with trio.open_nursery() as asking, serving(app, QUIETLY) as server:
        server.accept(theirs)
        asking.start_soon(again, RawPeer(ours))
        await trio.sleep(1)
