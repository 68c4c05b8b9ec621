"""Sockets: a WebSocket that echoes, and all that is said on one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.torture.ground import Ground
from trioweb.app.websocket.messages import messages
from trioweb.app.websocket.options import settings_of
from trioweb.app.websocket.route import Doorkeeper
from trioweb.message.handler import Handler
from trioweb.message.request import Request

if TYPE_CHECKING:
    from trio_websocket import WebSocketConnection

ASKED = (
    b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)

# RFC 6455 section 5.7: "Hello", masked; then in two fragments with a ping between
# them; and the Close, with 1000.
SENT = (
    bytes.fromhex("8185 37fa213d 7f9f4d5158"),
    bytes.fromhex("0183 37fa213d 7f9f4d 8980 37fa213d 8082 37fa213d 5b95"),
    bytes.fromhex("8882 37fa213d 3412"),
)
# The same, compressed (RFC 7692 section 7.2.3.1), where it was agreed on.
OFFERED = b"Sec-WebSocket-Extensions: permessage-deflate\r\n"
DEFLATED = (
    bytes.fromhex("c187 37fa213d c5b2ecf4fefd21"),
    bytes.fromhex("4183 37fa213d c5b2ec 8980 37fa213d 8084 37fa213d fe33263d"),
    SENT[2],
)
HEARD = (b"Hello", b"Hello")

_TEXT, _CLOSE = 0x81, 0x88


class Conversation:
    """What a server has said on a WebSocket, in frames of less than 126 bytes."""

    def __init__(self, said: bytes) -> None:
        self.messages: list[bytes] = []
        self.code: int | None = None  # of its Close
        self.more = b""  # said after that
        while len(said) >= 2 and len(said) >= 2 + said[1]:
            first, payload = said[0], said[2 : 2 + said[1]]
            said = said[2 + len(payload) :]
            if first == _TEXT:
                self.messages.append(payload)
            elif first == _CLOSE:
                self.code, self.more = int.from_bytes(payload[:2], "big"), said
                return


def socket(*, deflate: bool = False) -> Callable[[Ground], Handler]:
    """What makes the handler of an echo whose conversation is counted."""

    def handler(ground: Ground) -> Handler:
        async def echo(request: Request, ws: WebSocketConnection) -> None:
            with ground.busy():
                async for message in messages(ws):
                    await ws.send_message(message)

        return Doorkeeper(echo, settings_of({"deflate": deflate}))

    return handler
