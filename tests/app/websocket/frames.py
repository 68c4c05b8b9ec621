"""A peer that speaks WebSocket frame by frame, well or badly."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import trio

from trioweb.message.errors import Fields
from trioweb.testing import RawPeer
from trioweb.testing.httpx_client import Client

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA

# RFC 6455 section 1.3.
KEY = "dGhlIHNhbXBsZSBub25jZQ=="

ASKED: Mapping[str, str] = {
    "connection": "Upgrade",
    "upgrade": "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": KEY,
}

_MASK = b"\x01\x02\x03\x04"


def header(
    opcode: int, size: int, *, fin: bool = True, rsv: int = 0, masked: bool = True
) -> bytes:
    """The header of a frame, without its key (RFC 6455 section 5.2)."""
    first, mask = fin << 7 | rsv << 4 | opcode, masked << 7
    if size < 126:
        return bytes((first, mask | size))
    if size < 1 << 16:
        return bytes((first, mask | 126)) + size.to_bytes(2, "big")
    return bytes((first, mask | 127)) + size.to_bytes(8, "big")


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    fin: bool = True,
    rsv: int = 0,
    masked: bool = True,
) -> bytes:
    """A frame of a client's."""
    head = header(opcode, len(payload), fin=fin, rsv=rsv, masked=masked)
    if not masked:
        return head + payload
    key = (_MASK * (len(payload) // 4 + 1))[: len(payload)]
    hidden = int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")
    return head + _MASK + hidden.to_bytes(len(payload), "big")


def close(code: int, reason: bytes = b"") -> bytes:
    return frame(CLOSE, code.to_bytes(2, "big") + reason)


class Framed:
    """One WebSocket whose handshake was accepted."""

    def __init__(self, peer: RawPeer) -> None:
        self.peer = peer
        self._ahead = b""

    async def send(self, *frames: bytes) -> None:
        for each in frames:
            await self.peer.send(each)

    async def receive(self) -> tuple[int, bytes] | None:
        """The first byte and the payload of the next frame; None at the end."""
        head = await self._take(2)
        if len(head) < 2:
            assert not head
            return None
        size = head[1]
        if size > 125:
            size = int.from_bytes(await self._take(2 if size == 126 else 8), "big")
        payload = await self._take(size)
        assert len(payload) == size, "a frame was cut off"
        return head[0], payload

    async def closing(self) -> int | None:
        """The code of the Close that the server says; None where it says none."""
        code = None
        try:
            while (got := await self.receive()) is not None:
                if got[0] == 0x80 | CLOSE:
                    assert code is None
                    code = int.from_bytes(got[1][:2], "big")
        except trio.BrokenResourceError:
            return code
        return code

    async def _take(self, size: int) -> bytes:
        while len(self._ahead) < size:
            piece = await self.peer.receive()
            if not piece:
                break
            self._ahead += piece
        taken, self._ahead = self._ahead[:size], self._ahead[size:]
        return taken


@asynccontextmanager
async def framing(
    client: Client, path: str, headers: Fields = ()
) -> AsyncIterator[Framed]:
    """A WebSocket at *path* while the block lasts; it ends without a Close."""
    async with client.connect() as peer:
        fields = {**ASKED, **dict(headers)}
        response = await peer.request("GET", path, headers=fields)
        assert response.status == 101
        yield Framed(peer)
