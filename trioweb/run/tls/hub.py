"""HubTLS: TLS on a non-blocking socket of the hub.

OpenSSL is handed the bytes and gives back others, in memory.  Reading the socket itself
it would take two calls for each record, and nobody would know whether more had come:
so a request costs two calls, as in the open, and a handshake a dozen fewer.

Two things differ from a plain socket.  OpenSSL may hold what the latch knows nothing
of, so the latch is opened again by hand.  And what has been sealed is sealed in its
order: it must go out before anything else does, so a write that was cancelled while
some of it was left is the connection's last.
"""

from __future__ import annotations

import select
import socket
import ssl

import trio

from trioweb.message.transport import Peer
from trioweb.run.hub import Hub, HubTransport
from trioweb.run.sockets import peer_at, undelayed
from trioweb.run.tls.bounds import FAREWELL, LINGERING, PIECE, RECORD, VAIN
from trioweb.run.tls.certificates import Certificates
from trioweb.run.tls.contexts import UnknownName
from trioweb.run.tls.greeting import Greeting, greeted
from trioweb.run.tls.peers import introduced
from trioweb.run.tls.refusal import refuse_name


def accepted(
    sock: socket.socket, address: object, *, hub: Hub, certificates: Certificates
) -> HubTLS:
    """The transport of a connection, from what ``accept()`` returned."""
    undelayed(sock)
    return HubTLS(sock, peer_at(address), hub, certificates)


class HubTLS(HubTransport):
    """The bytes inside TLS on a connected stream socket, heard of through a `Hub`."""

    secure = True
    sends_files = False

    def __init__(
        self, sock: socket.socket, peer: Peer, hub: Hub, certificates: Certificates
    ) -> None:
        super().__init__(sock, peer, hub)
        self._certificates = certificates
        self._tls: ssl.SSLObject | None = None  # once its handshake is over
        self._unsent = b""  # sealed, and not yet out
        self._sealed = 0  # bytes of a write in it, which are not counted as sent yet
        self._promised = False  # who sent them knows, and will send the rest
        self._crowded = False  # reading waits for room to write
        self._ended = False  # the peer has said goodbye
        self._parted = False  # we have
        self._deaf = False  # what comes can be read no more
        self._vain = 0  # bytes that came since some were of use

    async def handshake(self) -> str | None:
        """Agree on keys, and on a protocol, which is returned: None for HTTP/1.1.

        A peer that speaks plain HTTP is told so.  trio.BrokenResourceError where there
        is no agreement.  Cancelling it loses the connection.
        """
        greeting = await greeted(self)
        async with self._certificates.handshakes.turn():
            tls = await self._begin(greeting)
            await self._shake_hands(tls)
        self.peer = introduced(self.peer, greeting.asked, tls)
        self._tls = tls
        if self._in.pending:  # it did not wait for us
            self._readable.ready = True
        return tls.selected_alpn_protocol()

    async def _begin(self, greeting: Greeting) -> ssl.SSLObject:
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        try:
            return self._certificates.contexts.wrap(greeting, self._in, self._out)
        except UnknownName:
            await refuse_name(self)

    async def _shake_hands(self, tls: ssl.SSLObject) -> None:
        while True:
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._flush()
                self._feed(await self.receive_some(RECORD))
            except OSError as error:
                self._flush_now()  # the alert that says why
                raise trio.BrokenResourceError(str(error)) from error
            else:
                await self._flush()
                return

    # ------------------------------------------------------------------- receiving

    def _look(self, size: int) -> bytes | None:
        tls = self._tls
        if tls is None:
            return super()._look(size)
        if self._ended:
            return b""
        if self._deaf:
            return self._throw_away()
        while not self._crowded or self._reply():
            # Or to be told so by SSLWantReadError, which costs three times as much.
            if not (self._in.pending or tls.pending()):
                raw = super()._look(PIECE)
                if raw is None:
                    return None
                self._feed(raw)
            data = self._read(tls, size)
            if data is not None:
                return data
        return None

    def _read(self, tls: ssl.SSLObject, size: int) -> bytes | None:
        try:
            data: bytes | None = tls.read(min(size, RECORD))
        except ssl.SSLWantReadError:
            data = None
        except ssl.SSLZeroReturnError:
            data = b""
        except OSError as error:
            raise trio.BrokenResourceError(str(error)) from error
        if self._out.pending:
            self._reply()
        if data is not None:
            self._vain = 0
            self._ended = not data
            if self._ended or self._in.pending or tls.pending():
                self._readable.ready = True
        return data

    def _feed(self, raw: bytes) -> None:
        if not raw:
            self._in.write_eof()
            return
        self._vain += len(raw)
        if self._vain > VAIN:
            raise trio.BrokenResourceError("it sends much, and nothing of use")
        self._in.write(raw)

    def _reply(self) -> bool:
        """Send what OpenSSL answers to what was read, as when keys are changed.

        False where there is no room: then no more is read, or it would grow and grow.
        """
        self._crowded = not self._flush_now()
        if self._crowded:
            self._readable.ready = False
        return not self._crowded

    def stirred(self, flags: int) -> None:
        """Take note of an edge: room to write may be what reading waits for."""
        super().stirred(flags)
        if self._crowded and flags & select.EPOLLOUT:
            self._readable.open()

    # --------------------------------------------------------------------- sending

    def send_now(self, data: bytes) -> int:
        """Send what the system takes of *data* at once: how many bytes of it.

        The rest must be the next that is sent.
        """
        sent = super().send_now(data)
        self._promised = self._sealed > 0
        return sent

    def _begin_sending(self) -> None:
        super()._begin_sending()
        if self._sealed and not self._promised:
            self._sending = False
            raise trio.BrokenResourceError("an earlier write was cancelled")
        self._promised = False

    def _try(self, data: bytes | bytearray | memoryview) -> int:
        tls = self._tls
        if tls is None or not data:
            return super()._try(data)
        self._require_sending()
        if not self._sealed:
            try:
                self._sealed = tls.write(data if len(data) <= PIECE else data[:PIECE])
            except OSError as error:
                raise trio.BrokenResourceError(str(error)) from error
        if not self._flush_now():
            return 0
        sealed, self._sealed = self._sealed, 0
        return sealed

    def _flush_now(self) -> bool:
        """Send what is sealed as far as there is room; whether all of it is out."""
        while raw := self._unsent or self._out.read():
            sent = super()._try(raw)
            self._unsent = raw[sent:]
            if not sent:
                return False
        return True

    async def _flush(self) -> None:
        while not self._flush_now():
            await self._writable.wait()

    # ---------------------------------------------------------------------- leaving

    async def send_eof(self) -> None:
        """Say goodbye (close_notify), and send no more; receiving goes on."""
        if self._tls is not None and not self._parted:
            self._begin_sending()
            try:
                await self._part_from(self._tls)
            finally:
                self._sending = False
        await super().send_eof()

    async def aclose(self) -> None:
        """Say goodbye, and close; the peer's goodbye is not waited for."""
        try:
            if self._tls is not None and self._may_say_goodbye():
                await self._part_from(self._tls)
        finally:
            self._leave()
        await trio.lowlevel.checkpoint()

    def _may_say_goodbye(self) -> bool:
        # What is left of a write was not finished, and who is still sending has not.
        return not (
            self._parted
            or self._finished
            or self._sealed
            or self._sending
            or self._socket.fileno() == -1
        )

    async def _part_from(self, tls: ssl.SSLObject) -> None:
        """Say goodbye (RFC 8446 section 6.1): all of it, for a part would be none."""
        self._parted = True
        try:
            tls.unwrap()
        except ssl.SSLWantReadError:
            pass  # the peer's need not be waited for
        except OSError:
            # The peer was still sending, which ends it for OpenSSL.
            self._deaf = True
        else:
            self._ended = True
        if not self._flush_now():
            with trio.move_on_after(FAREWELL, shield=True):
                await self._flush()

    def _throw_away(self) -> bytes | None:
        """Take what comes after the end, so that closing resets nothing.

        It ends in a fault, never in an end: what was lost must not look complete.
        """
        while self._vain < LINGERING:
            raw = super()._look(PIECE)
            if raw is None:
                return None
            if not raw:
                break
            self._vain += len(raw)
        raise trio.BrokenResourceError("what came after our goodbye cannot be read")
