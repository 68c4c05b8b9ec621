"""The client's door to events: what is heard, and what is none."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from tests.app.telling import answering
from trioweb import App, EventStream, Request, Response, events
from trioweb.app.events import QUIET
from trioweb.testing import BadResponse, Event, client


async def test_an_answer_that_is_no_stream_of_events_is_said() -> None:
    async def nothing(request: Request) -> str:
        return "plain"

    async with client(nothing) as web:
        with pytest.raises(BadResponse, match=r"200 with text/plain.*: plain"):
            async with web.events("/"):
                pass
    async with client(App()) as web:
        with pytest.raises(BadResponse, match=r"404 with .*json"):
            async with web.events("/"):
                pass


async def test_pings_are_counted_and_not_heard(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def talk(stream: EventStream) -> None:
        await trio.sleep(QUIET * 2 + 1)
        await stream.send("late")

    async with client(answering(talk)) as web, web.events("/") as source:
        assert await anext(source) == Event("late")
        assert source.comments == 2


async def test_fields_may_be_added_to_the_request() -> None:
    async def handler(request: Request) -> Response:
        async def talk(stream: EventStream) -> None:
            names = ("accept", "authorization", "last-event-id")
            await stream.send([request.headers.get(name) for name in names])

        return events(talk)

    async with (
        client(handler) as web,
        web.events("/", headers={"Authorization": "Bearer x"}) as source,
    ):
        heard = await anext(source)
        assert heard.data == '["text/event-stream","Bearer x",null]'
