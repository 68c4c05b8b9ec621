"""Streams share a task as long as none of them waits, and nothing but the task."""

from __future__ import annotations

import contextvars

import pytest
import trio
import trio.testing

from tests.wire.h2.heard import said
from tests.wire.h2.written import get, settings
from tests.wire.talking import talking
from trioweb.message.exchange import Ending
from trioweb.message.request import Request
from trioweb.message.response import Response
from trioweb.wire.h2_codes import PREFACE

BEGIN = PREFACE + settings()
STREAMS = range(1, 21, 2)
MANY = b"".join(get(number, path=b"/%d" % number) for number in STREAMS)

user: contextvars.ContextVar[str | None] = contextvars.ContextVar("user", default=None)
place: contextvars.ContextVar[str] = contextvars.ContextVar("place")


async def test_who_does_not_wait_is_answered_in_one_task(
    autojump_clock: trio.testing.MockClock,
) -> None:
    tasks = set[trio.lowlevel.Task]()

    async def handler(request: Request) -> Response:
        tasks.add(trio.lowlevel.current_task())
        return Response(200, body=request.path.encode())

    async with talking(handler) as talk:
        await talk.send(BEGIN + MANY)
        assert said(talk.received)[2:] == [f"{at}: 200 /{at}" for at in STREAMS]
    assert len(tasks) == 1


async def test_who_waits_keeps_nobody_waiting(
    autojump_clock: trio.testing.MockClock,
) -> None:
    tasks = set[trio.lowlevel.Task]()

    async def handler(request: Request) -> Response:
        tasks.add(trio.lowlevel.current_task())
        if request.path in {"/1", "/3", "/9"}:
            await trio.sleep_forever()
        return Response(200, body=request.path.encode())

    async with talking(handler) as talk:
        await talk.send(BEGIN + MANY)
        answered = sorted(set(STREAMS) - {1, 3, 9})
        assert said(talk.received)[2:] == [f"{at}: 200 /{at}" for at in answered]
    assert len(tasks) == 4


@pytest.mark.parametrize("outside", [False, True])
async def test_what_one_request_sets_no_other_sees(
    outside: bool, autojump_clock: trio.testing.MockClock
) -> None:
    seen = list[str | None]()

    async def handler(request: Request) -> Response:
        seen.append(user.get())
        if request.path != "/5":
            user.set(request.path)
        assert place.get("") == ("outside" if outside else "")
        if request.path == "/7":
            place.set("inside")
        return Response(200)

    token = place.set("outside") if outside else None
    async with talking(handler) as talk:
        await talk.send(BEGIN + MANY)
        await talk.send(get(21))
        assert said(talk.received)[2:] == [f"{at}: 200" for at in (*STREAMS, 21)]
    assert seen == [None] * 11
    if token is not None:
        place.reset(token)


async def test_what_is_set_anew_to_an_equal_value_is_not_seen_either(
    autojump_clock: trio.testing.MockClock,
) -> None:
    seen = list[object]()
    shared: contextvars.ContextVar[list[str]] = contextvars.ContextVar("shared")
    first = list[str]()

    async def handler(request: Request) -> Response:
        seen.append(shared.get())
        shared.set([])  # equal, and another
        return Response(200)

    shared.set(first)
    async with talking(handler) as talk:
        await talk.send(BEGIN + MANY)
    assert len(seen) == len(STREAMS)
    assert all(each is first for each in seen)


async def test_whoever_has_asked_is_on_record_even_if_all_ends_at_once(
    autojump_clock: trio.testing.MockClock,
) -> None:
    begun = list[str]()

    scopes = list[trio.CancelScope]()

    async def handler(request: Request) -> Response:
        begun.append(request.path)
        scopes[0].cancel(reason="all ends while the others have not begun")
        await trio.sleep_forever()
        raise AssertionError

    async with talking(handler) as talk:
        scopes.append(talk.serving)
        await talk.send(BEGIN + MANY)
        await talk.served.wait()
    assert len(talk.records) == len(STREAMS)
    assert {each.ending for each in talk.records} <= {Ending.STOPPED, Ending.GONE}
    assert begun[0] == "/1"
