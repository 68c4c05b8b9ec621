"""PeerTLS: the peer's end of HTTPS in memory, for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

from trioweb.run.tls.streams import Sealed

if TYPE_CHECKING:
    import ssl

    from trioweb.testing.transport import MemoryTransport


class PeerTLS(Sealed):
    """The bytes inside TLS on *carrier*, by *context*, to a server of that *name*.

    Hands are shaken when the first bytes are sent or waited for, if they have not been.
    trio.BrokenResourceError where the server refuses, or is not trusted.
    """

    def __init__(
        self, carrier: MemoryTransport, context: ssl.SSLContext, name: str
    ) -> None:
        super().__init__(carrier)
        self._memory = carrier
        self._context = context
        self._name = name
        self._meeting = trio.Lock()

    @property
    def closed(self) -> bool:
        """Whether this end has closed or aborted."""
        return self._memory.closed

    @property
    def readable(self) -> bool:
        """Whether something has come that was not read yet."""
        return self._memory.readable

    @property
    def agreed(self) -> ssl.SSLObject | None:
        """What the handshake has ended with; None before."""
        return self._tls

    async def handshake(self) -> str | None:
        """Shake hands, once; the protocol agreed on by ALPN, or None."""
        async with self._meeting:
            if self._tls is None:
                tls = self._context.wrap_bio(
                    self._in, self._out, server_hostname=self._name
                )
                await self._shake_hands(tls)
                self._tls = tls
        return self._tls.selected_alpn_protocol()

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send all of *data*; cancelling it cuts the connection."""
        await self.handshake()
        await super().send_all(data)

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Wait for some bytes, *max_bytes* at most; b"" once the server said goodbye.

        An end without a goodbye is trio.BrokenResourceError.
        """
        await self.handshake()
        return await super().receive_some(max_bytes)
