"""How long a WebSocket waits for its peer (rows W8 to W10)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
import trio
import trio.testing
from trio_websocket import WebSocketConnection

from tests.app.websocket.echoing import echoing
from tests.app.websocket.frames import (
    PING,
    PONG,
    TEXT,
    close,
    frame,
    framing,
)
from tests.app.websocket.stopping import stoppable
from trioweb import App, Request, messages
from trioweb.message.exchange import Ending
from trioweb.testing import client


async def test_w8_a_peer_that_shows_no_sign_of_life_is_given_up(
    autojump_clock: trio.testing.MockClock,
) -> None:
    over: list[float] = []
    app = App()

    @app.websocket("/")
    async def wait(request: Request, ws: WebSocketConnection) -> None:
        try:
            await trio.sleep_forever()
        finally:
            over.append(trio.current_time())

    async with stoppable(app) as service, framing(service.peer, "/") as ws:
        assert await ws.receive() == (0x80 | PING, b"")
        assert trio.current_time() == 20
        assert await ws.closing() == 1011
        assert trio.current_time() == 40
    assert over == [40]
    assert [kept.ending for kept in service.kept] == [Ending.GONE]


async def test_w8_whatever_comes_is_a_sign_of_life(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with client(echoing()) as peer, framing(peer, "/") as ws:
        await trio.sleep(15)
        await ws.send(frame(PONG))
        assert await ws.receive() == (0x80 | PING, b"")
        assert trio.current_time() == 35
        await trio.sleep(10)
        await ws.send(frame(TEXT, b"a")[:3])
        assert await ws.receive() == (0x80 | PING, b"")
        assert trio.current_time() == 65


async def test_w8_a_peer_is_not_silent_while_nobody_listens(
    autojump_clock: trio.testing.MockClock,
) -> None:
    app = App()

    @app.websocket("/")
    async def slow(request: Request, ws: WebSocketConnection) -> None:
        await trio.sleep(300)
        async for message in messages(ws):
            await ws.send_message(message)

    async with client(app) as peer, peer.websocket("/") as ws:
        for number in range(5):  # more than the library holds
            await ws.send(str(number))
        assert [await ws.receive() for _ in range(5)] == ["0", "1", "2", "3", "4"]


async def test_w8_a_peer_that_answers_stays(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with client(echoing()) as peer:
        async with peer.websocket("/") as ws:
            await trio.sleep(10_000)
            await ws.send("still there")
            assert await ws.receive() == "still there"
        async with framing(peer, "/quiet") as silent:
            with trio.move_on_after(10_000):
                assert await silent.receive() is not None


async def test_w8_a_handler_that_is_to_finish_outlives_a_silent_peer(
    autojump_clock: trio.testing.MockClock,
) -> None:
    seen: list[object] = []
    app = App()

    @app.websocket("/", on_disconnect="finish", ping=1, pong=2)
    async def work(request: Request, ws: WebSocketConnection) -> None:
        async for _ in messages(ws):
            pass
        seen.append((trio.current_time(), ws.closed and ws.closed.code))
        await trio.sleep(100)
        seen.append(trio.current_time())

    async with stoppable(app) as service, framing(service.peer, "/") as ws:
        assert await ws.receive() == (0x80 | PING, b"")
        assert await ws.closing() == 1011
    assert seen == [(3, 1006), 103]


async def test_w8_a_peer_that_nobody_listens_to_is_found_to_be_gone_by_a_ping(
    autojump_clock: trio.testing.MockClock,
) -> None:
    over: list[float] = []
    app = App()

    @app.websocket("/")
    async def deaf(request: Request, ws: WebSocketConnection) -> None:
        try:
            await trio.sleep_forever()
        finally:
            over.append(trio.current_time())

    async with stoppable(app) as service:
        async with framing(service.peer, "/") as ws:
            # More than is kept, so that neither the Close nor the end is read.
            await ws.send(*[frame(TEXT, b"a" * 40_000)] * 3, close(1000))
        await trio.sleep(100)
    assert over == [25]


async def test_w8_a_peer_that_takes_its_time_for_a_message_is_not_silent(
    autojump_clock: trio.testing.MockClock,
) -> None:
    size = 6_000_000
    app = App()

    @app.websocket("/")
    async def send(request: Request, ws: WebSocketConnection) -> None:
        await ws.send_message(b"a" * size)
        await ws.get_message()

    async with stoppable(app) as service, framing(service.peer, "/") as ws:
        taken = 0
        while taken < size:
            taken += len(await ws.peer.receive())
            await trio.sleep(1)
        assert trio.current_time() > 50
        await ws.send(frame(TEXT, b"thanks"))
        assert await ws.closing() == 1000


async def test_w9_a_peer_that_takes_nothing_is_given_up(
    autojump_clock: trio.testing.MockClock,
) -> None:
    over: list[float] = []
    app = App()

    @app.websocket("/")
    async def pour(request: Request, ws: WebSocketConnection) -> None:
        try:
            while True:
                await ws.send_message(b"a" * 10_000)
        finally:
            over.append(trio.current_time())

    async with stoppable(app) as service, framing(service.peer, "/") as ws:
        await trio.sleep(60)
        assert await ws.closing() is None
    assert 30 <= over[0] <= 36
    assert [kept.ending for kept in service.kept] == [Ending.TIMEOUT]


async def closes(ws: WebSocketConnection) -> None:
    await ws.aclose(4000)


async def returns(ws: WebSocketConnection) -> None: ...


Leaves = Callable[[WebSocketConnection], Awaitable[None]]


@pytest.mark.parametrize("leave", [closes, returns])
async def test_w10_a_close_that_is_not_answered_is_waited_for_5_s(
    leave: Leaves, autojump_clock: trio.testing.MockClock
) -> None:
    left: list[float] = []
    app = App()

    @app.websocket("/")
    async def go(request: Request, ws: WebSocketConnection) -> None:
        await leave(ws)
        left.append(trio.current_time())

    async with stoppable(app) as service, framing(service.peer, "/") as ws:
        assert await ws.closing() in {1000, 4000}
        assert trio.current_time() == 5
    assert left == [5 if leave is closes else 0]
    assert [kept.ending for kept in service.kept] == [Ending.COMPLETE]


async def test_w10_a_close_that_cannot_be_sent_is_not_waited_for(
    autojump_clock: trio.testing.MockClock,
) -> None:
    app = App()

    @app.websocket("/")
    async def stuck(request: Request, ws: WebSocketConnection) -> None:
        async with trio.open_nursery() as writing:
            writing.start_soon(ws.send_message, b"a" * 200_000)
            await trio.sleep(1)
            raise ValueError("planted")

    async with stoppable(app) as service, framing(service.peer, "/"):
        assert await service.stop() <= 8
