"""HubTLS: TLS on a non-blocking socket of the hub.

OpenSSL reads from and writes to the socket itself, which spares the copies and the
tasks of a TLS that is handed its bytes: a third of the cost of a small request.

Two things differ from a plain socket.  One call takes one record at most, so a short
read does not say that there is no more: the latch is cleared only when neither OpenSSL
nor the system holds any.  And a record that has been begun must be finished before
anything else goes out, so a write that was cancelled in the middle of one is the
connection's last.
"""

from __future__ import annotations

import select
import socket
import ssl

import trio

from trioweb.message.transport import Peer
from trioweb.run.hub import Hub, HubTransport
from trioweb.run.sockets import peer_at, undelayed, unread
from trioweb.run.tls.bounds import FAREWELL, FRAMING, LINGERING, RECORD
from trioweb.run.tls.certificates import Certificates
from trioweb.run.tls.contexts import OurSocket
from trioweb.run.tls.hello import LONGEST, complete, sound
from trioweb.run.tls.peers import introduced
from trioweb.run.tls.refusal import refuse
from trioweb.wire.limits import READ_SIZE


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
        self._tls: OurSocket | None = None  # once its handshake has begun
        self._begun = False  # a record is out in part
        self._crowded = False  # reading waits for room to write
        self._ended = False  # the peer has said goodbye before us
        self._deaf = False  # what comes can be read no more
        self._thrown = 0  # bytes of it so far

    async def handshake(self) -> str | None:
        """Agree on keys, and on a protocol, which is returned: None for HTTP/1.1.

        A peer that speaks plain HTTP is told so.  trio.BrokenResourceError where there
        is no agreement.  Cancelling it loses the connection.
        """
        hello = await self._hello()
        if not sound(hello):
            await refuse(self, hello[:1])
        async with self._certificates.handshakes.turn():
            tls = self._wrap(self._certificates.contexts.choose(hello))
            await self._shake_hands(tls)
        self._tls = tls
        self.peer = introduced(self.peer, tls)
        return tls.selected_alpn_protocol()

    async def _hello(self) -> bytes:
        """Wait for the peer's first record, which is left for OpenSSL to read."""
        while True:
            try:
                hello = self._socket.recv(LONGEST, socket.MSG_PEEK)
            except BlockingIOError:
                hello = b""
            except OSError as error:
                raise self._fault(error) from error
            if complete(hello) or self._ending:
                return hello
            self._readable.ready = False
            await self._readable.wait()

    def _wrap(self, context: ssl.SSLContext) -> OurSocket:
        # Out of the hub and in again: wrapping gives the descriptor to another socket,
        # and closes it if that fails.
        self._hub.remove(self._socket)
        try:
            tls = context.wrap_socket(
                self._socket,
                server_side=True,
                do_handshake_on_connect=False,
                suppress_ragged_eofs=False,
            )
        except OSError as error:  # the peer has left already
            raise trio.BrokenResourceError(str(error)) from error
        self._socket = tls
        self._hub.add(self, tls)
        if not isinstance(tls, OurSocket):
            raise TypeError("the context of a server makes sockets of ours")
        return tls

    async def _shake_hands(self, tls: OurSocket) -> None:
        while True:
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                self._readable.ready = False
                await self._readable.wait()
            except ssl.SSLWantWriteError:
                self._writable.ready = False
                await self._writable.wait()
            except (OSError, ValueError) as error:
                raise trio.BrokenResourceError(str(error)) from error
            else:
                return

    def _look(self, size: int) -> bytes | None:
        tls = self._tls
        if tls is None:
            return super()._look(size)
        if self._ended:
            return b""
        return self._throw_away() if self._deaf else self._read(tls, size)

    def _read(self, tls: OurSocket, size: int) -> bytes | None:
        try:
            data = tls.recv(min(size, RECORD))
        except ssl.SSLWantReadError:
            self._readable.ready = False
        except ssl.SSLWantWriteError:  # keys are being changed
            self._readable.ready = False
            self._crowded = True
        except OSError as error:
            raise self._fault(error) from error
        else:
            # Or to be told so by SSLWantReadError, which costs three times as much.
            if not (tls.pending() or self._ending or unread(tls)):
                self._readable.ready = False
            return data
        return None

    def stirred(self, flags: int) -> None:
        """Take note of an edge: room to write may be what reading waits for."""
        super().stirred(flags)
        if self._crowded and flags & select.EPOLLOUT:
            self._crowded = False
            self._readable.open()

    def _begin_sending(self) -> None:
        super()._begin_sending()
        if self._begun:
            self._sending = False
            msg = "an earlier write was cancelled in the middle of a record"
            raise trio.BrokenResourceError(msg)

    def _try(self, data: bytes | bytearray | memoryview) -> int:
        tls = self._tls
        if tls is None or not data:
            return super()._try(data)
        self._require_sending()
        try:
            sent = tls.send(data)
        except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
            self._begun = True
            self._writable.ready = False
            return 0
        except OSError as error:
            raise self._fault(error) from error
        self._begun = False
        self._handed += sent + FRAMING
        return sent

    def taken(self) -> int:
        """How many bytes the peer has acknowledged, as near as can be told."""
        return max(0, super().taken())

    def _shut_down(self) -> None:
        if self._tls is not None:
            self._say_goodbye(self._tls)
        self._finished = True
        try:
            # Not the method of an SSLSocket, which ends receiving too.
            socket.socket.shutdown(self._socket, socket.SHUT_WR)
        except OSError as error:
            raise self._fault(error) from error

    def _say_goodbye(self, tls: OurSocket) -> bool:
        """Send close_notify (RFC 8446 section 6.1); False where there is no room."""
        try:
            tls.unwrap()
        except ssl.SSLWantReadError:
            pass  # it is out, and the peer's need not be waited for
        except ssl.SSLWantWriteError:
            return False
        except (OSError, ValueError):
            # It is out, but the peer was still sending, which ends it for OpenSSL.
            self._deaf = True
        else:
            self._ended = True
        return True

    def _throw_away(self) -> bytes | None:
        """Take what comes after the end, so that closing resets nothing.

        It ends in a fault, never in an end: what was lost must not look complete.
        """
        while self._thrown < LINGERING:
            try:
                raw = socket.socket.recv(self._socket, READ_SIZE)
            except BlockingIOError:
                self._readable.ready = False
                return None
            except OSError as error:
                raise self._fault(error) from error
            if not raw:
                break
            self._thrown += len(raw)
        raise trio.BrokenResourceError("what came after our goodbye cannot be read")

    async def aclose(self) -> None:
        """Say goodbye, and close; the peer's goodbye is not waited for."""
        tls = self._tls
        if tls is not None and self._may_say_goodbye():
            with trio.move_on_after(FAREWELL, shield=True):
                while not self._say_goodbye(tls):
                    self._writable.ready = False
                    await self._writable.wait()
        self._close()
        await trio.lowlevel.checkpoint()

    def _may_say_goodbye(self) -> bool:
        # After half a record it would be taken for its rest; and who is still sending
        # has not finished.
        return not (
            self._finished
            or self._begun
            or self._sending
            or self._socket.fileno() == -1
        )
