"""Tunnel: the bytes of one stream, once HTTP has stepped aside on it (RFC 8441)."""

from __future__ import annotations

import trio

from trioweb.message.errors import PeerGone
from trioweb.message.response import Talk
from trioweb.wire.h2_content import Content
from trioweb.wire.h2_sending import Sending


async def converse(talk: Talk, content: Content, sending: Sending) -> None:
    """Have *talk* on a stream, and say its end; PeerGone if that cannot be said."""
    tunnel = StreamTunnel(content, sending)
    try:
        await talk(tunnel)
    except* trio.BrokenResourceError as error:
        raise PeerGone from error
    await tunnel.aclose()


class StreamTunnel(trio.abc.Stream):
    """What is on a stream after its heads: a byte stream in DATA frames."""

    def __init__(self, content: Content, sending: Sending) -> None:
        self._content = content
        self._sending = sending
        self._ahead = b""  # taken, and more than was asked for

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Write all of *data*; trio.BrokenResourceError once the peer has gone.

        And after a write that was cut off, as by a timeout around it.
        """
        await trio.lowlevel.checkpoint()
        if self._sending.ended:
            raise trio.ClosedResourceError("the tunnel was closed")
        try:
            await self._sending.send(data)
        except (PeerGone, RuntimeError) as error:
            raise trio.BrokenResourceError(str(error)) from error

    async def wait_send_all_might_not_block(self) -> None:
        """Return at once: nobody knows before whether there is a window."""
        await trio.lowlevel.checkpoint()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Wait for bytes; b"" once the peer has finished sending."""
        if not self._ahead:
            try:
                self._ahead = await self._content.piece(paced=False)
            except PeerGone as error:
                raise trio.BrokenResourceError("the stream was reset") from error
        else:
            await trio.lowlevel.checkpoint()
        end = len(self._ahead) if max_bytes is None else max_bytes
        data, self._ahead = self._ahead[:end], self._ahead[end:]
        return data

    async def aclose(self) -> None:
        """Say that this was all; what was cut off stays without an end."""
        await trio.lowlevel.checkpoint()
        if not (self._sending.ended or self._sending.gone or self._sending.torn):
            try:
                await self._sending.send(end=True)
            except PeerGone:
                return
