"""Faults and floods of a WebSocket's peer, on the wire (rows W1 to W4)."""

from __future__ import annotations

import contextlib

import pytest
import trio
import trio.testing
from trio_websocket import WebSocketConnection

from tests.app.websocket.echoing import echoing
from tests.app.websocket.frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    close,
    frame,
    framing,
    header,
)
from trioweb import App, Request, messages
from trioweb.testing import client

FAULTS = [
    ("W1 5.1 not masked", frame(TEXT, b"a", masked=False), 1002),
    ("W1 5.2 RSV1", frame(TEXT, b"a", rsv=4), 1002),
    ("W1 5.2 RSV2", frame(TEXT, b"a", rsv=2), 1002),
    ("W1 5.2 RSV3", frame(PING, b"a", rsv=1), 1002),
    ("W1 5.2 reserved opcode", frame(0x3, b"a"), 1002),
    ("W1 5.2 reserved control opcode", frame(0xB, b"a"), 1002),
    ("W1 5.2 not minimal", b"\x81\xfe\x00\x01", 1002),
    ("W1 5.2 not minimal, 64 bits", b"\x81\xff" + (65535).to_bytes(8, "big"), 1002),
    ("W1 5.2 the highest bit", b"\x81\xff" + b"\xff" * 8, 1002),
    ("W1 5.4 nothing to go on with", frame(CONTINUATION, b"a"), 1002),
    ("W1 5.4 another message", frame(TEXT, b"a", fin=False) + frame(TEXT), 1002),
    ("W1 5.5 long control frame", header(PING, 126), 1002),
    ("W1 5.5 fragmented control frame", frame(PING, b"a", fin=False), 1002),
    ("W1 5.5.1 half a code", frame(CLOSE, b"\x03"), 1002),
    ("W1 7.4.1 a code that cannot be said", close(1005), 1002),
    ("W1 7.4.2 a code of nobody", close(999), 1002),
    ("W1 8.1 no UTF-8", frame(TEXT, b"\xff"), 1007),
    ("W1 8.1 half a character", frame(TEXT, "é".encode()[:1]), 1007),
    ("W1 8.1 a reason that is no UTF-8", close(1000, b"\xff"), 1007),
    ("W2 of the header alone", header(BINARY, 1 << 21), 1009),
    ("W2 the largest there is", header(BINARY, (1 << 63) - 1), 1009),
    ("W3 empty fragments", frame(TEXT, fin=False) + frame(0, fin=False) * 2000, 1008),
    ("W4 pings", frame(PING, b"a" * 125) * 21, 1008),
    ("W4 pongs", frame(PONG) * 1001, 1008),
]


@pytest.mark.parametrize(
    ("data", "code"), [case[1:] for case in FAULTS], ids=[case[0] for case in FAULTS]
)
async def test_w1_a_fault_is_answered_with_its_code_at_once(
    data: bytes, code: int, autojump_clock: trio.testing.MockClock
) -> None:
    # What comes before it is heard, be it in the same segment or an earlier one.
    for at in (-len(data), 0, 1):
        heard: list[object] = []
        app = App()

        @app.websocket("/")
        async def hear(
            request: Request, ws: WebSocketConnection, heard: list[object] = heard
        ) -> None:
            heard += [message async for message in messages(ws)]

        async with client(app) as peer, framing(peer, "/") as ws:
            sent = frame(TEXT, b"first") + data
            cut = len(sent) - len(data) + at
            for piece in (sent[:cut], sent[cut:]):
                await ws.send(piece)
                await trio.testing.wait_all_tasks_blocked()
            assert await ws.closing() == code
            assert trio.current_time() < 0.1
        assert heard[:1] == ["first"]


async def test_w1_the_handler_knows_what_the_peer_was_told() -> None:
    told: list[object] = []
    app = App()

    @app.websocket("/")
    async def tell(request: Request, ws: WebSocketConnection) -> None:
        async for _ in messages(ws):
            pass
        told.append(ws.closed and (ws.closed.code, ws.closed.reason))

    async with client(app) as peer, framing(peer, "/") as ws:
        await ws.send(frame(TEXT, b"a", masked=False))
        assert await ws.receive() == (0x88, b"\x03\xeaa frame is not masked")
        assert await ws.receive() is None
    assert told == [(1002, "a frame is not masked")]


async def test_w2_a_message_may_be_as_long_as_its_route_says() -> None:
    async with client(echoing()) as peer:
        async with framing(peer, "/small") as ws:
            await ws.send(frame(BINARY, b"a" * 10))
            assert await ws.receive() == (0x82, b"a" * 10)
            await ws.send(frame(BINARY, b"a" * 11))
            assert await ws.closing() == 1009
        async with framing(peer, "/small") as ws:  # in parts
            await ws.send(frame(TEXT, b"a" * 6, fin=False), frame(0, b"a" * 5))
            assert await ws.closing() == 1009
        async with peer.websocket("/large") as talk:
            await talk.send(b"a" * (1 << 22))
            assert await talk.receive() == b"a" * (1 << 22)


async def test_w2_characters_are_counted_in_bytes() -> None:
    async with client(echoing()) as peer, framing(peer, "/small") as ws:
        await ws.send(frame(TEXT, "é".encode() * 5))
        assert await ws.receive() == (0x81, "é".encode() * 5)
        await ws.send(frame(TEXT, "é".encode() * 6))
        assert await ws.closing() == 1009


async def test_w2_a_peer_that_goes_on_sending_still_reads_why() -> None:
    async with client(echoing()) as peer, framing(peer, "/") as ws:
        await ws.send(header(BINARY, 1 << 21) + b"\1\2\3\4")
        for _ in range(32):
            await ws.send(bytes(1 << 16))
        assert await ws.closing() == 1009


async def test_w3_a_message_may_have_as_many_fragments_as_its_route_says() -> None:
    async with client(echoing()) as peer, framing(peer, "/small") as ws:
        await ws.send(frame(TEXT, b"a", fin=False), frame(0, b"b"))
        assert await ws.receive() == (0x81, b"ab")
        await ws.send(frame(TEXT, fin=False), frame(0, fin=False), frame(0))
        assert await ws.closing() == 1008


async def test_w4_a_flood_of_pings_that_nobody_answers_to_ends_soon(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with client(echoing()) as peer, framing(peer, "/") as ws:
        sent = 0
        with contextlib.suppress(trio.BrokenResourceError):
            while sent < 50_000:
                await ws.send(frame(PING, b"a" * 125))
                sent += 1
        # What the connection itself holds, and what lingering reads and forgets.
        assert sent * 131 < (64 + 4 * 1024 + 128) * 1024


async def test_w4_a_ping_now_and_then_is_answered(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with client(echoing()) as peer, framing(peer, "/") as ws:
        for number in range(100):
            await ws.send(frame(PING, b"%d" % number))
            assert await ws.receive() == (0x80 | PONG, b"%d" % number)
            await trio.sleep(0.1)
