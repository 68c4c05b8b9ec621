"""Lines: what connects the two ends of a story, in memory, TLS over it or not."""

from __future__ import annotations

import contextlib
import functools
import ssl
from dataclasses import dataclass
from typing import Protocol

import trio

from tests.run.tls.meeting import SERVER, trusting
from trioweb.message.transport import Transport
from trioweb.run.tls.certificates import Certificates
from trioweb.run.tls.streams import StreamTLS
from trioweb.testing.transport import MemoryTransport

# Bytes between the two ends below TLS, whose handshake has 3 KB.  An answer has more.
_SECURE_ROOM = 128

# Why there may be nobody to say goodbye to, or no way.
_UNHEARD = (
    trio.BrokenResourceError,
    trio.BusyResourceError,
    trio.ClosedResourceError,
)

# Virtual seconds for a peer's goodbye, which nobody may take.
_GOODBYE = 1.0


@dataclass(frozen=True)
class Line:
    """How a peer is connected, and whether its server has the lane."""

    lane: bool = True
    # What is agreed on inside TLS, by the names of ALPN; None: there is no TLS.
    agreed: str | None = None

    def room(self, wanted: int) -> int:
        """Bytes that are on their way at the most, where *wanted* are in the open."""
        return wanted if self.agreed is None else max(wanted, _SECURE_ROOM)

    def near(self, end: MemoryTransport) -> Near:
        """The peer's end."""
        return end if self.agreed is None else SecureEnd(end, self.agreed)

    def far(self, end: Transport) -> Transport:
        """The server's end."""
        return end if self.agreed is None else StreamTLS(end, _certificates())


# The usual one, in the open.
PLAIN = Line()


class Near(Protocol):
    """The end of a peer."""

    async def handshake(self) -> str | None: ...

    async def send_all(self, data: bytes, /) -> None: ...

    async def receive_some(self, max_bytes: int | None = None) -> bytes: ...

    async def send_eof(self) -> None: ...

    async def aclose(self) -> None: ...

    def abort(self) -> None: ...


class SecureEnd:
    """A peer's end of TLS, which takes nothing for an end but a goodbye.

    Not Trio's own: that one waits for the server's goodbye when it closes.
    """

    def __init__(self, carrier: MemoryTransport, protocol: str) -> None:
        self._carrier = carrier
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = _context(protocol).wrap_bio(
            self._in, self._out, server_hostname="localhost"
        )
        self._left = b""  # what came before our own goodbye
        self._order = trio.Lock()  # of what goes out

    async def handshake(self) -> str | None:
        async with self._order:
            return await self._shake_hands()

    async def _shake_hands(self) -> str | None:
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._flush()
                await self._fill()
            except ssl.SSLError as error:
                raise trio.BrokenResourceError(str(error)) from error
            else:
                await self._flush()
                return self._tls.selected_alpn_protocol()

    async def send_all(self, data: bytes, /) -> None:
        async with self._order:
            try:
                self._tls.write(data)
            except ssl.SSLError as error:
                raise trio.BrokenResourceError(str(error)) from error
            await self._flush()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        while True:
            if self._left:
                size = max_bytes or len(self._left)
                data, self._left = self._left[:size], self._left[size:]
                return data
            try:
                return self._tls.read(max_bytes or 1 << 16)
            except ssl.SSLWantReadError:
                await self._fill()
            except ssl.SSLZeroReturnError:
                return b""
            except ssl.SSLError as error:
                raise trio.BrokenResourceError(str(error)) from error

    async def send_eof(self) -> None:
        async with self._order:
            self._say_goodbye()
            await self._flush()
            await self._carrier.send_eof()

    async def aclose(self) -> None:
        self._say_goodbye()
        with trio.move_on_after(_GOODBYE), contextlib.suppress(*_UNHEARD):
            await self._flush()
        await self._carrier.aclose()

    def abort(self) -> None:
        self._carrier.abort()

    def _say_goodbye(self) -> None:
        # After our goodbye OpenSSL hands out nothing that had come before.
        with contextlib.suppress(ssl.SSLError):
            while data := self._tls.read(1 << 16):
                self._left += data
        with contextlib.suppress(ssl.SSLError, ValueError):
            self._tls.unwrap()

    async def _fill(self) -> None:
        if data := await self._carrier.receive_some():
            self._in.write(data)
        else:
            self._in.write_eof()

    async def _flush(self) -> None:
        if data := self._out.read():
            await self._carrier.send_all(data)


@functools.cache
def _context(protocol: str) -> ssl.SSLContext:
    return trusting(alpn=(protocol,))


@functools.cache
def _certificates() -> Certificates:
    return Certificates(SERVER)
