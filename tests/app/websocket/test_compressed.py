"""Compressed messages, on the wire (row W5)."""

from __future__ import annotations

import zlib

import pytest

from tests.app.websocket.echoing import echoing
from tests.app.websocket.frames import (
    BINARY,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    frame,
    framing,
)
from trioweb.testing import client
from trioweb.testing.httpx_client import Client

COMPRESSED = 0b100  # RSV1 (RFC 7692 section 6)

OFFER = {"sec-websocket-extensions": "permessage-deflate; client_max_window_bits"}


def deflated(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-15)
    return (stream.compress(data) + stream.flush(zlib.Z_SYNC_FLUSH))[:-4]


async def extensions(peer: Client, path: str, offer: str) -> str | None:
    async with peer.websocket(path, headers={"sec-websocket-extensions": offer}) as ws:
        return ws.headers.get("sec-websocket-extensions")


async def test_w5_messages_are_compressed_only_where_the_route_says_so() -> None:
    async with client(echoing()) as peer:
        assert await extensions(peer, "/", "permessage-deflate") is None
        assert await extensions(peer, "/deflate", "permessage-deflate") == (
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
        )


@pytest.mark.parametrize(
    "offer",
    [
        "permessage-deflate; client_max_window_bits=abc",
        "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; x",
        "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
        ";;;,,,=",
        "x-unknown",
        '"',
    ],
)
async def test_w5_an_offer_that_makes_no_sense_is_not_there(offer: str) -> None:
    async with client(echoing()) as peer:
        assert await extensions(peer, "/deflate", offer) is None


async def test_w5_compressed_messages_come_back_compressed() -> None:
    text = b"hello hello hello " * 100
    async with client(echoing()) as peer, framing(peer, "/deflate", OFFER) as ws:
        for data in (text, b"", b"short"):
            await ws.send(frame(TEXT, deflated(data), rsv=COMPRESSED))
            got = await ws.receive()
            assert got is not None
            if got[0] == 0x81:
                assert got[1] == data
            else:
                assert got[0] == 0xC1
                assert zlib.decompressobj(-15).decompress(got[1]) == data
        await ws.send(frame(TEXT, b"plain"))
        assert await ws.receive() == (0x81, b"plain")


async def test_w5_a_ping_between_compressed_fragments_is_no_fault() -> None:
    packed = deflated(b"hello hello")
    async with client(echoing()) as peer, framing(peer, "/deflate", OFFER) as ws:
        await ws.send(
            frame(TEXT, packed[:4], fin=False, rsv=COMPRESSED),
            frame(PING, b"now"),
            frame(CONTINUATION, packed[4:]),
        )
        assert await ws.receive() == (0x80 | PONG, b"now")
        assert await ws.receive() == (0x81, b"hello hello")


async def test_w5_a_bomb_is_refused_before_it_is_there() -> None:
    bomb = deflated(bytes(64 << 20))
    assert len(bomb) < 1 << 17
    async with client(echoing()) as peer, framing(peer, "/deflate", OFFER) as ws:
        await ws.send(frame(BINARY, bomb, rsv=COMPRESSED))
        assert await ws.closing() == 1009


@pytest.mark.parametrize("data", [b"\xff" * 10, b"\x07"], ids=["garbage", "bad block"])
async def test_w5_what_cannot_be_inflated_is_1007(data: bytes) -> None:
    async with client(echoing()) as peer, framing(peer, "/deflate", OFFER) as ws:
        await ws.send(frame(TEXT, data, rsv=COMPRESSED))
        assert await ws.closing() == 1007
