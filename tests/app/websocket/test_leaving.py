"""What becomes of a WebSocket's handler when its peer has left."""

from __future__ import annotations

import pytest
import trio
import trio.testing
from trio_websocket import WebSocketConnection

from tests.app.websocket.asked import (
    Leave,
    app_of,
    leave_by_close,
    leave_by_reset,
)
from tests.app.websocket.frames import framing
from trioweb import Request
from trioweb.testing import client


class Stay:
    """A handler that does not look at its WebSocket, and notes when it ends."""

    def __init__(self, seconds: float = 1000) -> None:
        self._seconds = seconds
        self.begun, self.over = trio.Event(), trio.Event()
        self.ended_at = 0.0
        self.finished = False

    async def __call__(self, request: Request, ws: WebSocketConnection) -> None:
        self.begun.set()
        try:
            await trio.sleep(self._seconds)
            self.finished = True
        finally:
            self.ended_at = trio.current_time()
            self.over.set()


@pytest.mark.parametrize(("leave", "grace"), [(leave_by_close, 5), (leave_by_reset, 0)])
async def test_a_handler_is_cancelled_when_its_peer_has_gone(
    leave: Leave, grace: float, autojump_clock: trio.testing.MockClock
) -> None:
    stay = Stay()
    async with client(app_of(stay)) as peer, peer.websocket("/") as ws:
        await stay.begun.wait()
        gone_at = trio.current_time()
        await leave(ws, peer)
        await stay.over.wait()
        assert stay.ended_at - gone_at == grace
    assert not stay.finished


async def test_a_handler_is_cancelled_when_its_peer_has_finished_without_a_word(
    autojump_clock: trio.testing.MockClock,
) -> None:
    stay = Stay()
    async with client(app_of(stay)) as peer, framing(peer, "/") as ws:
        await stay.begun.wait()
        await ws.peer.send_eof()
        await stay.over.wait()
        assert trio.current_time() == 5


@pytest.mark.parametrize("leave", [leave_by_close, leave_by_reset])
async def test_on_disconnect_finish_lets_it_go_on(
    leave: Leave, autojump_clock: trio.testing.MockClock
) -> None:
    stay = Stay(100)
    async with client(app_of(stay, "finish")) as peer:
        async with peer.websocket("/") as ws:
            await stay.begun.wait()
            await leave(ws, peer)
        await stay.over.wait()
    assert stay.finished
    assert stay.ended_at == 100


async def test_a_request_finishes_what_it_has_begun(
    autojump_clock: trio.testing.MockClock,
) -> None:
    finished = trio.Event()

    async def commit(request: Request, ws: WebSocketConnection) -> None:
        try:
            await trio.sleep_forever()
        finally:
            with request.finish(3):
                await trio.sleep(2)  # noqa: ASYNC102  # it shields
                finished.set()

    async with client(app_of(commit)) as peer, peer.websocket("/") as ws:
        await trio.testing.wait_all_tasks_blocked()
        ws.abort()
        await finished.wait()
        assert trio.current_time() == 2
