"""Accounts: a worker tells what has changed, and waits for no answer for long."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing

from tests.run.test_exposition import samples
from tests.run.test_figures import PLAIN, at
from trioweb.message.measures import COMBINATIONS, LABEL, Counter
from trioweb.run.cluster import accounts
from trioweb.run.cluster.accounts import Accounts
from trioweb.run.cluster.channel import Channel
from trioweb.run.cluster.messages import (
    Counted,
    FromSupervisor,
    FromWorker,
    Report,
    Reported,
)


@asynccontextmanager
async def accounted() -> AsyncIterator[tuple[Accounts, Channel[FromWorker]]]:
    """The accounts of a worker, and the supervisor's end of its channel."""
    one, other = socket.socketpair()
    above: Channel[FromWorker] = Channel(one, FromWorker)
    below: Channel[FromSupervisor] = Channel(other, FromSupervisor)
    with trio.fail_after(20):
        async with trio.open_nursery() as sending:
            sending.start_soon(above.deliver)
            sending.start_soon(below.deliver)
            yield Accounts(below), above
            await below.flush()
            sending.cancel_scope.cancel(reason="over")
    above.close()
    below.close()


async def told(above: Channel[FromWorker]) -> list[Counted]:
    """What has been told by now, but for what changes by itself."""
    await trio.testing.wait_all_tasks_blocked()
    counted = [each for each in above.remaining() if isinstance(each, Counted)]
    return [each for each in counted if "cpu" not in each.family.name]


async def test_only_what_has_changed_is_told() -> None:
    async with accounted() as (here, above):
        orders = Counter("orders_total", "Orders.", ["paid"])
        here.figures.include([orders])
        orders.add(paid="card")
        orders.add(paid="cash")
        here.send()
        (first,) = await told(above)
        assert [each.labels for each in first.series] == [("card",), ("cash",)]
        here.send()
        assert await told(above) == []
        orders.add(paid="cash")
        here.send()
        (second,) = await told(above)
        assert [(e.labels, e.values) for e in second.series] == [(("cash",), (2,))]


async def test_however_much_there_is_it_fits_into_messages() -> None:
    async with accounted() as (here, above):
        orders = Counter("orders_total", "물" * 1000, [f"label{n}" for n in range(8)])
        here.figures.include([orders])
        for number in range(COMBINATIONS):
            labels = {f"label{n}": f"{number}".rjust(LABEL, "물") for n in range(8)}
            orders.add(**labels)
        got: list[Counted] = []
        here.send()
        while sum(len(each.series) for each in got) < COMBINATIONS:
            letter = await above.receive()
            assert letter is not None
            assert isinstance(letter.message, Counted)
            got += [letter.message] * ("cpu" not in letter.message.family.name)
        assert len(got) > 10


async def test_the_sum_is_asked_for_once_for_all_who_want_it() -> None:
    async with accounted() as (here, above):
        answers: list[str] = []

        async def ask() -> None:
            answers.append(await here.report())

        async with trio.open_nursery() as asking:
            for _ in range(5):
                asking.start_soon(ask)
            await trio.testing.wait_all_tasks_blocked()
            asked = [each for each in above.remaining() if isinstance(each, Report)]
            assert asked == [Report(1)]
            here.take(Reported(0, "of before", last=True))
            here.take(Reported(1, "a 1\n", last=False))
            here.take(Reported(1, "b 2\n", last=True))
        assert answers == ["a 1\nb 2\n"] * 5
        here.take(Reported(1, "too late", last=True))


async def test_where_nobody_adds_up_a_worker_tells_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(accounts, "PATIENCE", 0.05)
    async with accounted() as (here, above):
        here.figures.record(PLAIN)
        for ticket in (1, 2):
            found = samples(await here.report())
            labels = {"method": "GET", "route": "/notes/{id:int}", "status": "2xx"}
            assert at(found, "http_requests_total", **labels) == 1
            await trio.testing.wait_all_tasks_blocked()
            assert Report(ticket) in above.remaining()
