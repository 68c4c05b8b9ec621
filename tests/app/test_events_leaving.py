"""Streams of events whose peers are slow, or go, or whose talk goes wrong."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
import trio
import trio.testing

from tests.app.telling import GET, QUIETLY, answering, forever
from trioweb import EventStream, events
from trioweb.app.events import QUIET
from trioweb.run.serving import serving
from trioweb.testing import Event, client, memory_pair

Clock = trio.testing.MockClock


@dataclass
class Told:
    """What a talk that sends without an end has seen."""

    sent: int = 0
    ended: trio.Event = field(default_factory=trio.Event)

    async def talk(self, stream: EventStream) -> None:
        try:
            while True:
                await stream.send("x" * 1000)
                self.sent += 1
        finally:
            self.ended.set()


async def test_x9_a_talk_waits_for_a_slow_reader(autojump_clock: Clock) -> None:
    told = Told()
    async with client(answering(told.talk)) as web, web.connect() as peer:
        await peer.request("GET", "/")
        await trio.testing.wait_all_tasks_blocked()
        before = told.sent
        assert 50 < before < 70  # as many as a connection holds, 64 KiB
        await peer.receive(10_000)
        await trio.testing.wait_all_tasks_blocked()
        assert 8 < told.sent - before < 11


async def test_who_reads_nothing_is_given_up_after_30_seconds(
    autojump_clock: Clock,
) -> None:
    told = Told()
    async with client(answering(told.talk)) as web, web.connect() as peer:
        start = trio.current_time()
        await peer.request("GET", "/")
        await trio.testing.wait_all_tasks_blocked()
        await told.ended.wait()
        assert 30 <= trio.current_time() - start <= 40
        with pytest.raises(trio.BrokenResourceError):
            await peer.receive_rest()


async def test_a_talk_is_cancelled_when_its_peer_has_gone(
    autojump_clock: Clock,
) -> None:
    ended = trio.Event()

    async def talk(stream: EventStream) -> None:
        try:
            await trio.sleep_forever()
        finally:
            ended.set()

    async with client(answering(talk)) as web, web.connect() as peer:
        start = trio.current_time()
        await peer.request("GET", "/")
        peer.abort()
        await ended.wait()
        assert trio.current_time() == start


async def test_tasks_of_one_talk_may_send_at_once(autojump_clock: Clock) -> None:
    async def talk(stream: EventStream) -> None:
        async def count(name: str) -> None:
            for number in range(100):
                await stream.send(f"{name}{number} {'x' * 1000}")

        async with trio.open_nursery() as counters:
            for name in "abc":
                counters.start_soon(count, name)

    async with client(answering(talk, ping=1)) as web, web.events("/") as source:
        heard = [event.data async for event in source]
    assert len(heard) == 300
    for name in "abc":
        own = [data.partition(" ")[0] for data in heard if data[0] == name]
        assert own == [f"{name}{number}" for number in range(100)]


async def test_a_talk_that_fails_breaks_off_its_stream(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def talk(stream: EventStream) -> None:
        await stream.send("one")
        raise ValueError("two")

    async with client(answering(talk)) as web, web.events("/") as source:
        assert await anext(source) == Event("one")
        with pytest.raises(httpx2.TransportError):
            await anext(source)
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


@pytest.mark.parametrize(
    ("data", "name", "words"),
    [(b"bytes", None, "is text"), (object(), None, "no"), (None, None, "has data")],
    ids=["bytes", "no JSON", "nothing"],
)
async def test_what_cannot_be_sent_is_refused(
    data: object, name: str | None, words: str
) -> None:
    said: list[str] = []

    async def talk(stream: EventStream) -> None:
        try:
            await stream.send(data, id=name)
        except (TypeError, ValueError) as error:
            said.append(str(error))
        await stream.send("after")

    async with client(answering(talk)) as web, web.events("/") as source:
        assert await anext(source) == Event("after")
    assert words in said[0]


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"talk": "text"}, TypeError, "async function"),
        ({"ping": 0}, ValueError, "ping=0"),
        ({"ping": float("nan")}, ValueError, "ping=nan"),
        ({"retry": -1}, ValueError, "0 or more"),
        ({"retry": 2.5}, TypeError, "milliseconds"),
    ],
    ids=["no function", "ping 0", "ping nan", "retry -1", "retry 2.5"],
)
def test_events_of_no_use_are_refused(
    options: Mapping[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        events(**{"talk": forever, **options})


async def test_a_thousand_that_leave_at_once_leave_nothing(
    autojump_clock: Clock,
) -> None:
    before = trio.lowlevel.current_statistics().tasks_living
    at_work: set[EventStream] = set()

    async def talk(stream: EventStream) -> None:
        at_work.add(stream)
        try:
            await trio.sleep_forever()
        finally:
            at_work.discard(stream)

    async with serving(answering(talk), QUIETLY) as server:
        idle = trio.lowlevel.current_statistics().tasks_living
        pairs = [memory_pair() for _ in range(1000)]
        for ours, theirs in pairs:
            server.accept(theirs)
            await ours.send_all(GET)
        await trio.sleep(QUIET * 2 + 1)
        assert len(at_work) == 1000
        for ours, _ in pairs:
            ours.abort()
        await trio.testing.wait_all_tasks_blocked()
        assert not at_work
        assert trio.lowlevel.current_statistics().tasks_living == idle
    assert trio.lowlevel.current_statistics().tasks_living == before
