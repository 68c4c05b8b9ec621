"""Tunnel: the connection's own bytes, once HTTP has stepped aside."""

from __future__ import annotations

import trio

from trioweb.message.transport import Transport


class Tunnel(trio.abc.Stream):
    """A transport after a protocol switch; begins with what was read ahead of it."""

    def __init__(self, transport: Transport, ahead: bytes) -> None:
        self._transport = transport
        self._ahead = ahead

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Write all of *data*; trio.BrokenResourceError once the peer has gone."""
        await self._transport.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until there may be room to write."""
        await self._transport.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """Wait for bytes; b"" once the peer has finished sending."""
        if not self._ahead:
            return await self._transport.receive_some(max_bytes)
        await trio.lowlevel.checkpoint()
        end = len(self._ahead) if max_bytes is None else max_bytes
        ahead, self._ahead = self._ahead[:end], self._ahead[end:]
        return ahead

    async def aclose(self) -> None:
        """Close the connection."""
        await self._transport.aclose()
