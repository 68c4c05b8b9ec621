"""WebSockets of a server that stops."""

from __future__ import annotations

import pytest
import trio
import trio.testing
from trio_websocket import WebSocketConnection

from tests.app.websocket.asked import (
    app_of,
    echo,
    forever,
)
from tests.app.websocket.frames import close, framing
from tests.app.websocket.stopping import stoppable
from trioweb import App, Request
from trioweb.message.exchange import Ending
from trioweb.message.handler import Handler as AnyHandler
from trioweb.message.response import Response
from trioweb.testing import WebSocketClosed
from trioweb.testing.httpx_client import Client


async def test_w11_a_stop_is_told_to_everybody(
    autojump_clock: trio.testing.MockClock,
) -> None:
    told: list[int] = []

    async def listen(  # noqa: ASYNC114  # in a loop, and awaited
        peer: Client, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        async with peer.websocket("/") as ws:
            task_status.started()
            with pytest.raises(WebSocketClosed) as raised:
                await ws.receive()
            told.append(raised.value.code)

    async with stoppable(app_of(echo)) as service, trio.open_nursery() as peers:
        for _ in range(100):
            await peers.start(listen, service.peer)
        assert await service.stop() == 0
    assert told == [1001] * 100


async def test_w11_who_does_not_hear_it_holds_no_stop(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with stoppable(app_of(echo)) as service, framing(service.peer, "/") as ws:
        assert 5 <= await service.stop() <= 8
        assert await ws.closing() == 1001
    assert [kept.ending for kept in service.kept] == [Ending.COMPLETE]


async def test_w11_a_handler_that_does_not_listen_holds_no_stop(
    autojump_clock: trio.testing.MockClock,
) -> None:
    app = app_of(forever)
    async with stoppable(app) as service, service.peer.websocket("/") as ws:
        assert 5 <= await service.stop() <= 8
    assert ws.closed is not None
    assert ws.closed.code == 1001


async def test_a_handler_may_wait_for_the_stop_itself(
    autojump_clock: trio.testing.MockClock,
) -> None:
    drained: list[float] = []

    async def wait(request: Request, ws: WebSocketConnection) -> None:
        await request.draining.wait()
        drained.append(trio.current_time())

    async with stoppable(app_of(wait)) as service, service.peer.websocket("/"):
        await trio.sleep(100)
        await service.stop()
    assert drained == [100]


async def test_a_websocket_that_comes_when_the_server_stops_is_told_so(
    autojump_clock: trio.testing.MockClock,
) -> None:
    app = App()

    async def late(request: Request, handler: AnyHandler) -> Response:
        await trio.sleep(2)
        return await handler(request)

    app.websocket("/", layers=[late])(echo)
    async with stoppable(app) as service, trio.open_nursery() as stopping:
        stopping.start_soon(service.stop)
        async with service.peer.websocket("/") as ws:
            with pytest.raises(WebSocketClosed, match="1001"):
                await ws.receive()


async def test_w11_who_has_said_goodbye_and_takes_nothing_holds_no_stop(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def pour(request: Request, ws: WebSocketConnection) -> None:
        async with trio.open_nursery() as pouring:
            pouring.start_soon(ws.send_message, b"a" * 1_000_000)
            await ws.get_message()

    async with stoppable(app_of(pour)) as service, framing(service.peer, "/") as ws:
        await trio.sleep(1)
        await ws.send(close(1000))
        await trio.sleep(1)
        assert await service.stop() <= 14


async def test_w11_a_message_that_is_not_taken_holds_no_stop(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def fill(request: Request, ws: WebSocketConnection) -> None:
        await trio.sleep(15)
        await ws.send_message(b"a" * 1_000_000)

    async with stoppable(app_of(fill)) as service, framing(service.peer, "/"):
        await trio.sleep(20.5)
        assert await service.stop() <= 14
