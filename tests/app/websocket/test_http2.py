"""WebSockets over HTTP/2 (RFC 8441): the same route, and the same frames in DATA."""

from __future__ import annotations

import pytest
import trio
import trio.testing
from trio_websocket import WebSocketConnection

from tests.app.websocket.frames import PING, TEXT, close, frame
from trioweb import App, Request, messages
from trioweb.message.exchange import Ending

pytest.importorskip("h2")

from tests.wire.h2.peer import Fields, Peer, speaking


def app() -> App:
    app = App()

    @app.websocket("/echo/{name}", subprotocols=["b"], deflate=True)
    async def echo(request: Request, ws: WebSocketConnection, name: str) -> None:
        assert (request.method, request.version) == ("GET", "2")
        async for message in messages(ws):
            await ws.send_message(message)

    @app.websocket("/fail")
    async def fail(request: Request, ws: WebSocketConnection) -> None:
        raise ValueError("planted")

    @app.websocket("/wait")
    async def wait(request: Request, ws: WebSocketConnection) -> None:
        await trio.sleep_forever()

    return app


async def connect(
    peer: Peer, path: str, fields: Fields = (), protocol: str = "websocket"
) -> int:
    """The stream of an extended CONNECT."""
    head = [
        (":method", "CONNECT"),
        (":protocol", protocol),
        (":scheme", "http"),
        (":authority", "a"),
        (":path", path),
        ("sec-websocket-version", "13"),
        *fields,
    ]
    stream = peer.queue_head(head, end=False)
    await peer.flush()
    return stream


async def test_8441_5_the_same_route_answers(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with speaking(app().freeze()) as peer:
        fields = [
            ("sec-websocket-protocol", "a, b"),
            ("sec-websocket-extensions", "permessage-deflate"),
        ]
        stream = await connect(peer, "/echo/a", fields)
        answer = peer.answers[stream]
        assert answer.status == 200
        assert answer.headers["sec-websocket-protocol"] == "b"
        assert "permessage-deflate" in answer.headers["sec-websocket-extensions"]
        assert "sec-websocket-accept" not in answer.headers
        assert not {"upgrade", "connection"} & answer.headers.keys()
        said = frame(TEXT, b"hello") + frame(PING)
        for at in range(len(said)):
            await peer.data(stream, said[at : at + 1])
        assert answer.body == b"\x81\x05hello\x8a\x00"
        await peer.data(stream, close(1000))
        assert answer.body.endswith(b"\x88\x02\x03\xe8")
        assert answer.complete
        await peer.data(stream, b"", end=True)
    [record] = peer.talk.records
    assert record.ending is Ending.COMPLETE


@pytest.mark.parametrize(
    ("path", "fields", "protocol", "status"),
    [
        ("/echo/a", [("origin", "https://evil.example")], "websocket", 403),
        ("/echo/a", [("sec-websocket-version", "8")], "websocket", 400),
        ("/echo/a", [], "connect-udp", 400),
        ("/nowhere", [], "websocket", 404),
    ],
)
async def test_what_cannot_be_is_refused_as_any_request(
    path: str,
    fields: Fields,
    protocol: str,
    status: int,
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with speaking(app().freeze()) as peer:
        stream = await connect(peer, path, fields, protocol)
        assert peer.answers[stream].status == status


async def test_a_plain_get_is_told_what_it_is_for(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with speaking(app().freeze()) as peer:
        answer = peer.answers[await peer.ask("/echo/a")]
        assert answer.status == 400
        assert "upgrade" not in answer.headers


@pytest.mark.parametrize(
    ("path", "said", "code"),
    [
        ("/fail", b"", 1011),
        ("/echo/a", frame(TEXT, b"a", masked=False), 1002),
        ("/echo/a", frame(TEXT, b"\xff"), 1007),
        ("/echo/a", frame(PING) * 21, 1008),
    ],
)
async def test_it_ends_with_the_same_codes(
    path: str, said: bytes, code: int, autojump_clock: trio.testing.MockClock
) -> None:
    async with speaking(app().freeze()) as peer:
        stream = await connect(peer, path)
        if said:
            await peer.data(stream, said)
        _, _, last = peer.answers[stream].body.rpartition(b"\x88")
        assert last[1:3] == code.to_bytes(2, "big")
        await peer.data(stream, close(code), end=True)
        await trio.testing.wait_all_tasks_blocked()
        assert peer.answers[stream].complete


async def test_a_reset_of_the_stream_cancels_its_handler_alone(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with speaking(app().freeze()) as peer:
        lost, kept = await connect(peer, "/wait"), await connect(peer, "/echo/a")
        await peer.reset(lost)
        await trio.testing.wait_all_tasks_blocked()
        assert [record.ending for record in peer.talk.records] == [Ending.GONE]
        await peer.data(kept, frame(TEXT, b"still here"))
        assert peer.answers[kept].body == b"\x81\x0astill here"
        await peer.data(kept, close(1000), end=True)


async def test_a_server_that_stops_says_so(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with speaking(app().freeze()) as peer:
        streams = [await connect(peer, "/wait") for _ in range(10)]
        peer.talk.service.drain()
        await trio.testing.wait_all_tasks_blocked()
        for stream in streams:
            assert peer.answers[stream].body == b"\x88\x02\x03\xe9"
            await peer.data(stream, close(1001), end=True)
