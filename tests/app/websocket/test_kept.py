"""What is kept of a WebSocket: records, and sessions."""

from __future__ import annotations

import logging

import pytest
from trio_websocket import WebSocketConnection

from tests.app.websocket.asked import (
    Handler,
    Leave,
    app_of,
    echo,
    leave_by_close,
    leave_by_reset,
)
from tests.app.websocket.stopping import stoppable
from trioweb import App, Request, sessions
from trioweb.message.exchange import Ending, Exchanged
from trioweb.testing import WebSocketClosed, client


async def records(handler: Handler, leave: Leave) -> list[Exchanged]:
    async with stoppable(app_of(handler)) as service:
        async with service.peer.websocket("/") as ws:
            await ws.send("hello")
            await ws.receive()
            await leave(ws, service.peer)
        await service.stop()
    return service.kept


async def test_an_exchange_is_recorded_with_its_bytes() -> None:
    [kept] = await records(echo, leave_by_close)
    assert (kept.method, kept.route, kept.status) == ("GET", "/", 101)
    assert kept.ending is Ending.COMPLETE
    # A message of 5 bytes and a Close with a code, masked; and without a mask.
    assert kept.received == (6 + 5) + (6 + 2)
    assert kept.sent > (2 + 5) + (2 + 2)


async def test_a_peer_that_goes_without_a_word_is_recorded_so() -> None:
    [kept] = await records(echo, leave_by_reset)
    assert kept.ending is Ending.GONE


async def test_a_handler_that_fails_is_recorded_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fail_later(request: Request, ws: WebSocketConnection) -> None:
        await ws.send_message(await ws.get_message())
        raise ValueError("planted")

    [kept] = await records(fail_later, leave_by_close)
    assert kept.ending is Ending.FAILED
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


# Sessions.


async def test_a_session_is_read_and_can_be_saved_only_explicitly(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = App()
    app.use(sessions())

    @app.post("/")
    async def begin(request: Request) -> None:
        request.session["name"] = "Ada"

    @app.get("/")
    async def name(request: Request) -> str:
        return str(request.session["name"])

    @app.websocket("/")
    async def talk(request: Request, ws: WebSocketConnection) -> None:
        await ws.send_message(request.session["name"])
        await request.session.save({"name": await ws.get_message()})
        request.session["name"] = "lost"

    async with client(app) as peer:
        await peer.post("/")
        async with peer.websocket("/") as ws:
            assert await ws.receive() == "Ada"
            await ws.send("Grace")
            with pytest.raises(WebSocketClosed, match="1011"):
                await ws.receive()
        assert (await peer.get("/")).text == "Grace"
    assert "await request.session.save" in str(caplog.records[0].exc_info)
