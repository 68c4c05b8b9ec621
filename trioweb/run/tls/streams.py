"""StreamTLS: TLS on any transport, where there is no hub: in tests, on other systems.

OpenSSL is handed the bytes and gives back others, in memory.  It costs more than
`trioweb.run.tls.hub`, and does the same.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from contextlib import suppress

import trio

from trioweb.message.transport import Gone, Transport
from trioweb.run.sockets import require_some
from trioweb.run.tls.bounds import FAREWELL, LINGERING, RECORD, VAIN
from trioweb.run.tls.certificates import Certificates
from trioweb.run.tls.contexts import UnknownName
from trioweb.run.tls.greeting import Greeting, greeted
from trioweb.run.tls.peers import introduced
from trioweb.run.tls.refusal import refuse_name

# Bytes encrypted before they are sent: what is held twice for a slow peer.
_PIECE = 64 * 1024


class Sealed(Transport):
    """The bytes inside TLS on *carrier*, which it owns from now on, at either end.

    Who shakes hands sets `_tls` to what came of it.
    """

    secure = True

    def __init__(self, carrier: Transport) -> None:
        self.peer = carrier.peer
        self._carrier = carrier
        self._in = ssl.MemoryBIO()
        self._out = ssl.MemoryBIO()
        self._tls: ssl.SSLObject | None = None
        self._order = trio.Lock()  # of what goes out
        self._sending = False
        self._finished = False
        self._cut = False  # what was encrypted has been lost
        self._deaf = False  # what comes can be read no more
        self._vain = 0  # bytes that came since some were of use

    async def _shake_hands(self, tls: ssl.SSLObject) -> None:
        while True:
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._flush()
                await self._fill()
            except OSError as error:
                fault = error
                break
            else:
                await self._flush()
                return
        await self._flush()  # the alert that says why
        raise trio.BrokenResourceError(str(fault)) from fault

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Wait for some bytes, *max_bytes* at most; b"" once the peer said goodbye."""
        size = RECORD if max_bytes is None else max_bytes
        require_some(size)
        tls = self._open()
        await trio.lowlevel.checkpoint()
        if self._deaf:
            await self._throw_away()
        while True:
            try:
                data = tls.read(size)
            except ssl.SSLWantReadError:
                await self._reply()
                await self._fill()
            except ssl.SSLZeroReturnError:
                return b""
            except OSError as error:
                raise trio.BrokenResourceError(str(error)) from error
            else:
                self._vain = 0
                return data

    async def _throw_away(self) -> None:
        """As `HubTLS`: take what comes after the end, which is never an end."""
        left = LINGERING
        while left > 0 and (piece := await self._carrier.receive_some()):
            left -= len(piece)
        raise trio.BrokenResourceError("what came after our goodbye cannot be read")

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send all of *data*; cancelling it cuts the connection."""
        tls = self._open()
        self._begin_sending()
        try:
            with memoryview(data).cast("B") as view:
                for start in range(0, len(view), _PIECE):
                    self._encrypt(tls, view[start : start + _PIECE])
                    async with self._order:
                        await self._flush()
        finally:
            self._sending = False

    def _encrypt(self, tls: ssl.SSLObject, data: memoryview) -> None:
        try:
            sent = 0
            while sent < len(data):
                sent += tls.write(data[sent:])
        except OSError as error:
            raise trio.BrokenResourceError(str(error)) from error

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until there is room for some bytes.  Cancelling it loses nothing."""
        self._open()
        self._begin_sending()
        try:
            await self._carrier.wait_send_all_might_not_block()
        finally:
            self._sending = False

    async def send_eof(self) -> None:
        """Say goodbye (close_notify); receiving goes on."""
        tls = self._open()
        if not self._finished:
            self._begin_sending()
            try:
                self._finished = True
                await self._part_from(tls)
            finally:
                self._sending = False
        await self._carrier.send_eof()

    async def aclose(self) -> None:
        """Say goodbye, and close; the peer's goodbye is not waited for."""
        may = not (self._finished or self._cut or self._sending)
        try:
            if self._tls is not None and may:
                with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
                    await self._part_from(self._tls)
        finally:
            # Whatever becomes of the goodbye: it closes even where it is cancelled.
            self._finished = True
            await self._carrier.aclose()  # noqa: ASYNC102

    async def _part_from(self, tls: ssl.SSLObject) -> None:
        """Say goodbye: all of it, for a part would be none, and it is said once."""
        self._say_goodbye(tls)
        with trio.move_on_after(FAREWELL, shield=True):
            async with self._order:
                await self._flush()

    def _say_goodbye(self, tls: ssl.SSLObject) -> None:
        try:
            tls.unwrap()
        except ssl.SSLWantReadError:
            pass  # the peer's need not be waited for
        except OSError:
            self._deaf = True  # it was still sending, which ends it for OpenSSL

    def taken(self) -> int:
        """How many bytes the peer has taken, framing included."""
        return self._carrier.taken()

    def abort(self) -> None:
        """Break the connection off."""
        self._finished = True
        self._carrier.abort()

    @property
    def gone(self) -> Callable[[Gone], None] | None:
        """Whom to tell that the peer has left; see Transport."""
        return self._carrier.gone

    @gone.setter
    def gone(self, listener: Callable[[Gone], None] | None) -> None:
        self._carrier.gone = listener

    def _open(self) -> ssl.SSLObject:
        if self._tls is None:
            raise RuntimeError("the handshake comes first")
        return self._tls

    def _begin_sending(self) -> None:
        if self._sending:
            raise trio.BusyResourceError("another task is sending on this connection")
        if self._finished:
            raise trio.ClosedResourceError("this side has said goodbye")
        if self._cut:
            raise trio.BrokenResourceError("an earlier write was cancelled")
        self._sending = True

    async def _fill(self) -> None:
        data = await self._carrier.receive_some(RECORD)
        if not data:
            self._in.write_eof()
            return
        self._vain += len(data)
        if self._vain > VAIN:
            raise trio.BrokenResourceError("it sends much, and nothing of use")
        self._in.write(data)

    async def _reply(self) -> None:
        """Send what OpenSSL answers to what was read, as when keys are changed.

        Who is writing takes it along, and never the other way round: a read may be
        cancelled, and what it was sending is lost.
        """
        async with self._order:
            if not self._sending:
                await self._flush()

    async def _flush(self) -> None:
        if not self._out.pending:
            return
        self._cut = True
        await self._carrier.send_all(self._out.read())
        self._cut = False


class StreamTLS(Sealed):
    """A server's end of TLS on any transport."""

    def __init__(self, carrier: Transport, certificates: Certificates) -> None:
        super().__init__(carrier)
        self._certificates = certificates

    async def handshake(self) -> str | None:
        """As `HubTLS.handshake`."""
        greeting = await greeted(self._carrier)
        async with self._certificates.handshakes.turn():
            tls = await self._begin(greeting)
            await self._shake_hands(tls)
        self._tls = tls
        self.peer = introduced(self.peer, greeting.asked, tls)
        return tls.selected_alpn_protocol()

    async def _begin(self, greeting: Greeting) -> ssl.SSLObject:
        try:
            return self._certificates.contexts.wrap(greeting, self._in, self._out)
        except UnknownName:
            await refuse_name(self._carrier)
