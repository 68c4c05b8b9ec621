"""Streams of events: what is sent when, in memory, and how each of them ends."""

from __future__ import annotations

import msgspec
import pytest
import trio
import trio.testing

from tests.app.telling import OPENING, answering, forever
from trioweb import App, EventStream, Request, Response, SetupError, events
from trioweb.app.events import QUIET, RETRY
from trioweb.message.handler import Handler
from trioweb.rules.events import PING
from trioweb.testing import Event, client

Clock = trio.testing.MockClock


# ------------------------------------------------------------------------ what is sent


async def test_events_are_heard_in_their_order() -> None:
    class Tea(msgspec.Struct):
        name: str

    async def talk(stream: EventStream) -> None:
        await stream.send("plain")
        await stream.send("two\nlines", event="news", id="물")
        await stream.send({"a": [1, None]}, id=7, retry=50)
        await stream.send(Tea("녹차"))
        await stream.send(0)
        await stream.send("")
        await stream.send(id=8)

    async with client(answering(talk)) as web, web.events("/") as source:
        assert [event async for event in source] == [
            Event("plain"),
            Event("two\nlines", "news", "물"),
            Event('{"a":[1,null]}', id="7", retry=50),
            Event('{"name":"녹차"}', id="7"),
            Event("0", id="7"),
            Event("", id="7"),
        ]
        assert (source.last_event_id, source.retry) == ("8", 50)


async def test_each_event_comes_when_it_is_sent(autojump_clock: Clock) -> None:
    async def talk(stream: EventStream) -> None:
        for number in range(3):
            await stream.send(number)
            await trio.sleep(10)

    start = trio.current_time()
    async with client(answering(talk)) as web, web.events("/") as source:
        heard = [(event.data, trio.current_time() - start) async for event in source]
    assert heard == [("0", 0), ("1", 10), ("2", 20)]


FIELDS = {
    "content-type": "text/event-stream",
    "cache-control": "no-store, no-transform",
    "x-accel-buffering": "no",
    "x-content-type-options": "nosniff",
}


async def test_the_head_comes_before_the_first_event(autojump_clock: Clock) -> None:
    for retry in (RETRY, None):
        app = answering(forever, retry=retry)
        async with client(app) as web, web.events("/") as source:
            assert dict(source.response.headers).items() >= FIELDS.items()
            assert trio.current_time() < 1


@pytest.mark.parametrize(
    "version", [b"1.0", b"1.1"], ids=["close-delimited", "chunked"]
)
async def test_both_versions_get_the_same_stream(version: bytes) -> None:
    async def talk(stream: EventStream) -> None:
        await stream.send("물", id=1)

    async with client(answering(talk)) as web, web.connect() as peer:
        await peer.send(
            b"GET / HTTP/%b\r\nHost: a\r\nConnection: close\r\n\r\n" % version
        )
        response = await peer.response()
        assert ("transfer-encoding" in response.headers) == (version == b"1.1")
        assert "content-length" not in response.headers
        assert await response.body() == OPENING + "id: 1\ndata: 물\n\n".encode()
        assert await peer.receive_rest() == b""


async def test_head_gets_the_head_alone() -> None:
    async def talk(stream: EventStream) -> None:
        raise AssertionError("nobody listens")

    app = App()

    @app.get("/")
    async def handler(request: Request) -> Response:
        return events(talk)

    async with client(app) as web:
        response = await web.head("/")
        assert response.headers["content-type"] == "text/event-stream"


async def test_layers_see_a_response_and_may_add_to_it() -> None:
    seen: list[Response] = []

    async def layer(request: Request, handler: Handler) -> Response:
        response = await handler(request)
        seen.append(response)
        response.headers["x-seen"] = "yes"
        return response

    async def talk(stream: EventStream) -> None:
        await stream.send(stream.last_event_id)

    app = App()
    app.use(layer)

    @app.get("/")
    async def handler(request: Request) -> Response:
        response = events(talk)
        response.set_cookie("name", "value")
        return response

    async with (
        client(app) as web,
        web.events("/", last_event_id="3") as source,
    ):
        assert type(seen[0]) is Response
        assert source.response.headers["x-seen"] == "yes"
        assert source.response.cookies["name"] == "value"
        assert await anext(source) == Event("3", id="3")


async def test_a_layer_may_answer_with_events() -> None:
    async def talk(stream: EventStream) -> None:
        await stream.send("from a layer")

    async def layer(request: Request, handler: Handler) -> Response:
        return events(talk)

    app = answering(forever)
    app.use(layer)
    async with client(app) as web, web.events("/") as source:
        assert await anext(source) == Event("from a layer")


async def test_the_same_events_may_answer_again_and_again() -> None:
    async def talk(stream: EventStream) -> None:
        await stream.send(stream.last_event_id)

    kept = events(talk)

    async def handler(request: Request) -> Response:
        return kept

    async with client(handler) as web:
        for last in ("1", "2"):
            async with web.events("/", last_event_id=last) as source:
                source.response.headers["x"] = last
                assert [event.data async for event in source] == [last]


async def test_what_no_application_has_answered_with_is_refused() -> None:
    body = events(forever).body
    assert callable(body)

    async def send(piece: bytes) -> None:
        raise AssertionError(piece)

    with pytest.raises(SetupError, match="return it from a handler"):
        await body(send)


# ---------------------------------------------------------------------- Last-Event-ID


@pytest.mark.parametrize("last", ["", "7", "물-7", "a: b"])
async def test_a_stream_knows_what_its_peer_heard_last(last: str) -> None:
    async def talk(stream: EventStream) -> None:
        await stream.send([stream.last_event_id])

    async with (
        client(answering(talk)) as web,
        web.events("/", last_event_id=last) as source,
    ):
        heard = await anext(source)
        assert msgspec.json.decode(heard.data) == [last]
        assert heard.id == last


async def test_who_comes_back_gets_what_was_missed() -> None:
    async def talk(stream: EventStream) -> None:
        after = int(stream.last_event_id or 0)
        for number in range(after + 1, after + 3):
            await stream.send(number, id=number)

    heard: list[str] = []
    last = ""
    async with client(answering(talk)) as web:
        for _ in range(3):
            async with web.events("/", last_event_id=last) as source:
                heard += [event.data async for event in source]
                last = source.last_event_id
    assert heard == ["1", "2", "3", "4", "5", "6"]


# ------------------------------------------------------------------------------- pings


async def test_a_ping_comes_when_nothing_was_sent_for_long(
    autojump_clock: Clock,
) -> None:
    async def talk(stream: EventStream) -> None:
        await trio.sleep(QUIET - 1)
        await stream.send("late")
        await trio.sleep(QUIET * 3 + 1)

    sent = await timed(answering(talk))
    assert sent == [
        (0, OPENING),
        (14, b"data: late\n\n"),
        (29, PING),
        (44, PING),
        (59, PING),
        (60, b""),
    ]


async def test_pings_keep_off_while_events_are_sent(autojump_clock: Clock) -> None:
    async def talk(stream: EventStream) -> None:
        for number in range(10):
            await trio.sleep(4)
            await stream.send(number)

    assert PING not in {piece for _, piece in await timed(answering(talk, ping=5))}


async def test_without_pings_nothing_is_sent(autojump_clock: Clock) -> None:
    async def talk(stream: EventStream) -> None:
        await trio.sleep(3600)

    sent = await timed(answering(talk, ping=None, retry=None))
    assert sent == [(3600, b"")]


async def timed(app: App) -> list[tuple[float, bytes]]:
    """When each piece of a stream came, in seconds, and when it had ended."""
    async with client(app) as web, web.connect() as peer:
        start = trio.current_time()
        response = await peer.request("GET", "/")
        sent = [(trio.current_time() - start, piece) async for piece in response]
        return [*sent, (trio.current_time() - start, b"")]
