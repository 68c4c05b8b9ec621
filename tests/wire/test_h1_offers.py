"""HTTP/1.1: who has asked for another protocol, and who is told to (RFC 9110 7.8)."""

from __future__ import annotations

import pytest
import trio.testing

from tests.wire.handlers import G, P
from tests.wire.talking import answer, say
from tests.wire.test_h1_tunnel import SWITCH, shout, shouting
from trioweb.message.request import Request
from trioweb.message.response import Response

REFUSED = [
    ("not asked", G + b"\r\n"),
    ("no connection option", G + b"Upgrade: shout\r\n\r\n"),
    ("no protocol", G + b"Connection: upgrade\r\n\r\n"),
    ("9110 7.8 HTTP/1.0", SWITCH.replace(b"HTTP/1.1", b"HTTP/1.0")),
    (
        "body without end",
        P + b"Connection: upgrade\r\nUpgrade: a\r\nContent-Length: 70000\r\n\r\n",
    ),
]


@pytest.mark.parametrize("head", [c[1] for c in REFUSED], ids=[c[0] for c in REFUSED])
async def test_15_5_22_a_peer_that_does_not_offer_it_is_told_to(
    head: bytes, autojump_clock: trio.testing.MockClock
) -> None:
    async def handler(request: Request) -> Response:
        return Response(200, {"upgrade": "shout"}, tunnel=shout)

    talk = await say(handler, head, b"hello!")
    got = answer(talk)
    assert (got.status, got.headers["upgrade"]) == (426, "shout")
    assert got.headers["connection"] == "close, upgrade"
    assert [(r.status, r.ending.value) for r in talk.records] == [(426, "complete")]


async def test_a_426_need_not_name_a_protocol(
    autojump_clock: trio.testing.MockClock,
) -> None:
    got = answer(await say(shouting, G + b"\r\n"))
    assert (got.status, got.headers["connection"]) == (426, "close")


async def test_f18_an_offer_that_nobody_takes_up_is_ignored(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def plain(request: Request) -> Response:
        return Response(200, body=b"plain")

    offer = G + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n"
    talk = await say(plain, offer + G + b"\r\n")
    assert talk.received.count(b"HTTP/1.1 200 OK") == 2
    assert talk.received.endswith(b"plain")


OFFERS: list[tuple[str, str, str | None]] = [
    ("shout", "Upgrade", "shout"),
    ("Shout, whisper", "keep-alive, upgrade", "shout"),
    ("h2c, WebSocket", "Upgrade", "websocket"),
    ("shout", "keep-alive", None),
    ("", "Upgrade", None),
]


@pytest.mark.parametrize(("upgrade", "connection", "asked"), OFFERS)
async def test_a_request_has_the_protocol_that_its_peer_asks_for(
    upgrade: str,
    connection: str,
    asked: str | None,
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def handler(request: Request) -> Response:
        return Response(200, body=str(request.upgrade).encode())

    lines = f"Connection: {connection}\r\nUpgrade: {upgrade}\r\n\r\n".encode()
    assert answer(await say(handler, G + lines)).body == str(asked).encode()
