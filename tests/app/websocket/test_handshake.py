"""The handshake of a WebSocket, on the wire (rows W6 and W7)."""

from __future__ import annotations

import pytest

from tests.app.websocket.echoing import echo, echoing
from tests.app.websocket.frames import (
    ASKED,
)
from trioweb import App
from trioweb.testing import WebSocketRefused, client


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site", "origin": "http://test"}, 403),
        ({"origin": "http://test"}, 101),
        ({}, 101),
    ],
)
async def test_w6_the_page_of_another_site_opens_none(
    fields: dict[str, str], status: int
) -> None:
    async with client(echoing()) as peer, peer.connect() as raw:
        response = await raw.request("GET", "/", headers={**ASKED, **fields})
        assert response.status == status


async def test_w6_a_route_may_let_others_in() -> None:
    app = App()
    app.websocket("/", origins=["https://a.example"])(echo)
    async with client(app) as peer:
        async with peer.websocket("/", headers={"origin": "https://a.example"}):
            pass
        with pytest.raises(WebSocketRefused, match="403"):
            async with peer.websocket("/", headers={"origin": "https://b.example"}):
                pass


HANDSHAKES: list[tuple[str, bytes, int]] = [
    ("W7 no key", b"Sec-WebSocket-Key: KEY\r\n", 400),
    ("W7 no version", b"Sec-WebSocket-Version: 13\r\n", 400),
    ("W7 no upgrade", b"Upgrade: websocket\r\n", 426),
    ("W7 no connection", b"Connection: Upgrade\r\n", 426),
]

CHANGES: list[tuple[str, bytes, bytes, int]] = [
    ("W7 short key", b"KEY", b"c2hvcnQ=", 400),
    ("W7 no base64", b"KEY", b"*" * 24, 400),
    ("W7 two keys", b"Upgrade:", b"Sec-WebSocket-Key: KEY\r\nUpgrade:", 400),
    ("W7 version 8", b": 13", b": 8", 426),
    ("W7 two versions", b"Upgrade:", b"Sec-WebSocket-Version: 8\r\nUpgrade:", 426),
    ("W7 method", b"GET", b"PUT", 405),
    ("W7 HEAD", b"GET", b"HEAD", 426),
    ("W7 HTTP/1.0", b"HTTP/1.1", b"HTTP/1.0", 426),
    ("W7 content", b"Upgrade:", b"Content-Length: 1\r\nUpgrade:", 400),
    ("W7 two subprotocols alike", b"KEY", b"KEY\r\nSec-WebSocket-Protocol: a, a", 400),
]

GOOD = (
    b"GET / HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: KEY\r\n\r\n"
)

SENT = [(name, GOOD.replace(line, b""), status) for name, line, status in HANDSHAKES]
SENT += [(name, GOOD.replace(old, new), status) for name, old, new, status in CHANGES]
SENT.append(("W7 as it should be", GOOD, 101))


@pytest.mark.parametrize(
    ("data", "status"), [case[1:] for case in SENT], ids=[case[0] for case in SENT]
)
async def test_w7_a_handshake_is_strict(data: bytes, status: int) -> None:
    async with client(echoing()) as peer, peer.connect() as raw:
        await raw.send(data.replace(b"KEY", b"dGhlIHNhbXBsZSBub25jZQ=="))
        response = await raw.response()
        assert response.status == status
        if status == 426:
            assert response.headers["upgrade"] == "websocket"
