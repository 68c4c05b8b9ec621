"""A WebSocket from its acceptance to its end: who says what, and becomes what."""

from __future__ import annotations

import pytest
import trio
import trio.testing
from trio_websocket import ConnectionClosed, WebSocketConnection

from tests.app.websocket.asked import (
    Handler,
    app_of,
    echo,
)
from tests.app.websocket.frames import PING, TEXT, close, frame, framing
from trioweb import App, NotFound, PeerGone, Request, messages
from trioweb.testing import WebSocketClosed, client


async def test_text_and_bytes_come_back_as_they_are() -> None:
    async with client(app_of(echo)) as peer, peer.websocket("/") as ws:
        for message in ("", "hé", b"", b"\0\xff", "a" * 1_000_000, b"b" * (1 << 20)):
            await ws.send(message)
            assert await ws.receive() == message


async def test_frames_that_come_with_the_handshake_are_heard() -> None:
    async with client(app_of(echo)) as peer, peer.connect() as raw:
        await raw.send(
            b"GET / HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\n"
            b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            + frame(TEXT, b"early")
        )
        assert (await raw.response()).status == 101
        assert await raw.receive() == b"\x81\x05early"


async def ended(handler: Handler) -> tuple[int, str]:
    """What the peer is told in the end."""
    async with client(app_of(handler)) as peer, peer.websocket("/") as ws:
        with pytest.raises(WebSocketClosed) as raised:
            await ws.receive()
        return raised.value.code, raised.value.reason


async def test_w11_a_handler_that_returns_has_said_goodbye() -> None:
    async def nothing(request: Request, ws: WebSocketConnection) -> None: ...

    assert await ended(nothing) == (1000, "")


async def test_w11_a_handler_may_say_its_own_goodbye() -> None:
    async def own(request: Request, ws: WebSocketConnection) -> None:
        await ws.aclose(4001, "enough")

    assert await ended(own) == (4001, "enough")


async def fail(request: Request, ws: WebSocketConnection) -> None:
    raise ValueError("planted")


async def fail_in_a_nursery(request: Request, ws: WebSocketConnection) -> None:
    async with trio.open_nursery() as tasks:
        tasks.start_soon(fail, request, ws)
        tasks.start_soon(trio.sleep_forever)


async def refuse(request: Request, ws: WebSocketConnection) -> None:
    raise NotFound("too late for that")


@pytest.mark.parametrize("handler", [fail, fail_in_a_nursery, refuse])
async def test_w11_a_handler_that_fails_is_1011_and_logged_once(
    handler: Handler, caplog: pytest.LogCaptureFixture
) -> None:
    assert await ended(handler) == (1011, "")
    assert [record.getMessage() for record in caplog.records] == ["GET '/' failed"]


async def lose(request: Request, ws: WebSocketConnection) -> None:
    raise PeerGone


async def lose_in_a_nursery(request: Request, ws: WebSocketConnection) -> None:
    async with trio.open_nursery() as tasks:
        tasks.start_soon(ws.get_message)
        tasks.start_soon(ws.get_message)


async def use_after(request: Request, ws: WebSocketConnection) -> None:
    await ws.aclose()
    await ws.send_message("anybody?")


@pytest.mark.parametrize(
    "handler", [echo, lose, lose_in_a_nursery, use_after, ConnectionClosed]
)
async def test_w13_that_the_websocket_is_closed_is_no_failure(
    handler: object, caplog: pytest.LogCaptureFixture
) -> None:
    async def call(request: Request, ws: WebSocketConnection) -> None:
        if handler is ConnectionClosed:
            raise ConnectionClosed(None)
        assert callable(handler)
        await handler(request, ws)

    async with client(app_of(call)) as peer, peer.websocket("/") as ws:
        await ws.close(1000)
    assert caplog.records == []


async def test_the_handler_sees_why_it_was_closed() -> None:
    seen: list[object] = []

    async def see(request: Request, ws: WebSocketConnection) -> None:
        async for _ in messages(ws):
            pass
        assert ws.closed is not None
        seen.append((ws.closed.code, ws.closed.reason))

    async with client(app_of(see)) as peer, peer.websocket("/") as ws:
        await ws.close(4000, "bye")
    assert ws.closed is not None
    assert seen == [(ws.closed.code, ws.closed.reason)] == [(4000, "bye")]


async def test_a_routes_timeout_is_for_the_handshake_alone(
    autojump_clock: trio.testing.MockClock,
) -> None:
    app = App()

    @app.websocket("/", timeout=2)
    async def talk(request: Request, ws: WebSocketConnection) -> None:
        await trio.sleep(1000)
        await ws.send_message("still here")

    async with client(app) as peer, peer.websocket("/") as ws:
        assert await ws.receive() == "still here"


async def test_messages_that_are_left_in_the_middle_lose_none() -> None:
    async def pick(request: Request, ws: WebSocketConnection) -> None:
        async for message in messages(ws):
            if message == "b":
                break
        await ws.send_message(await ws.get_message())

    async with client(app_of(pick)) as peer, peer.websocket("/") as ws:
        for message in "abc":
            await ws.send(message)
        assert await ws.receive() == "c"


async def test_a_ping_that_crosses_our_close_is_not_answered(
    autojump_clock: trio.testing.MockClock,
) -> None:
    app = App()

    @app.websocket("/", ping=1)
    async def talk(request: Request, ws: WebSocketConnection) -> None:
        await trio.sleep(1)
        await ws.send_message("now")
        await ws.get_message()

    # Which of the two comes first is for the scheduler to say.
    for _ in range(20):
        async with client(app) as peer, peer.websocket("/") as ws:
            assert await ws.receive() == "now"
        assert ws.closed is not None
        assert ws.closed.code == 1000


async def test_a_ping_is_answered_and_so_is_ours() -> None:
    answered: list[bytes] = []

    async def ask(request: Request, ws: WebSocketConnection) -> None:
        await ws.ping(b"are you there")
        answered.append(b"yes")
        await ws.get_message()

    async with client(app_of(ask)) as peer, peer.websocket("/") as ws:
        await ws.ping(b"hello")
        await ws.send("done")
    assert answered == [b"yes"]


async def test_a_ping_on_its_way_when_we_close_is_no_fault(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def leave(request: Request, ws: WebSocketConnection) -> None:
        await ws.aclose(4000)

    async with client(app_of(leave)) as peer, framing(peer, "/") as ws:
        assert await ws.receive() == (0x88, b"\x0f\xa0")
        await ws.send(frame(PING) * 3 + frame(TEXT, b"more") + close(4000))
        assert await ws.receive() is None
    assert caplog.records == []


async def test_a_message_that_was_cut_off_is_the_last(
    autojump_clock: trio.testing.MockClock,
) -> None:
    said: list[type[Exception]] = []

    async def hasty(request: Request, ws: WebSocketConnection) -> None:
        with trio.move_on_after(1):
            await ws.send_message("a" * 200_000)
        try:
            await ws.send_message("b")
        except ConnectionClosed as error:
            said.append(type(error))

    async with client(app_of(hasty)) as peer, framing(peer, "/") as ws:
        await trio.sleep(5)
        with pytest.raises((AssertionError, trio.BrokenResourceError)):
            await ws.receive()
    assert said == [ConnectionClosed]
