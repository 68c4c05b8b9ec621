"""Both sides of a WebSocket doing anything, in any order (row W13)."""

from __future__ import annotations

import random

import pytest
import trio
import trio.testing
from trio_websocket import WebSocketConnection

from tests.app.websocket.echoing import echo
from tests.app.websocket.frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    Framed,
    close,
    frame,
    framing,
)
from tests.app.websocket.stopping import stoppable
from trioweb import App, Request, messages

OFFER = {"sec-websocket-extensions": "permessage-deflate"}

SAID: list[bytes] = [
    frame(TEXT, b"hello"),
    frame(TEXT, b"good", fin=False),
    frame(CONTINUATION, b"by", fin=False),
    frame(CONTINUATION, b"e"),
    frame(BINARY, b"\0" * 300),
    frame(PING, b"ping"),
    frame(PONG),
    close(1000),
    close(4999, b"bye"),
    frame(CLOSE),
    close(1000) + frame(PING) + frame(TEXT, b"after"),
    b"\x81",
]


@pytest.mark.parametrize("seed", range(150))
async def test_w13_whatever_the_order_nothing_fails(
    seed: int,
    autojump_clock: trio.testing.MockClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    chance = random.Random(seed)
    app = App()

    @app.websocket("/", deflate=chance.random() < 0.3)
    async def erratic(request: Request, ws: WebSocketConnection) -> None:
        async with trio.open_nursery() as doing:
            for _ in range(chance.randrange(8)):
                doing.start_soon(_act, chance, ws)
                await trio.sleep(chance.choice((0, 0, 0.5)))

    app.websocket("/echo")(echo)
    async with stoppable(app) as service:
        async with framing(service.peer, "/", OFFER) as ws:
            await _peer(chance, ws)
        async with service.peer.websocket("/echo") as other:
            await other.send("next")
            assert await other.receive() == "next"
        await service.stop()
    assert caplog.records == []
    assert len(service.kept) == 2


async def _act(chance: random.Random, ws: WebSocketConnection) -> None:
    match chance.randrange(6):
        case 0:
            await ws.send_message("a" * chance.choice((1, 100, 100_000)))
        case 1:
            await ws.get_message()
        case 2:
            await ws.aclose(chance.choice((1000, 4000)))
        case 3:
            with trio.move_on_after(chance.random()):
                await ws.ping()
        case 4:
            async for _ in messages(ws):
                pass
        case _:
            await ws.pong(b"unasked")


async def _peer(chance: random.Random, ws: Framed) -> None:
    try:
        for _ in range(chance.randrange(1, 10)):
            data = b"".join(chance.choices(SAID, k=chance.randrange(1, 4)))
            await ws.send(data)
            await trio.sleep(chance.choice((0, 0, 0.5, 3)))
        match chance.randrange(3):
            case 0:
                ws.peer.abort()
            case 1:
                await ws.peer.send_eof()
                await ws.peer.receive_rest()
            case _:
                await ws.peer.receive_rest()
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        return
