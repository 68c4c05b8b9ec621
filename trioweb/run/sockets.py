"""SocketTransport: one connection's bytes, over a plain non-blocking socket.

Not trio.socket and not trio.SocketStream: waiting for the plain socket and calling it
directly costs a third less for each piece.
"""

from __future__ import annotations

import operator
import os
import socket
import struct
import sys
from contextlib import suppress
from fcntl import ioctl
from termios import TIOCOUTQ

import trio

from trioweb.message.transport import Peer, Transport
from trioweb.wire.limits import READ_SIZE

# struct linger {on, 0 seconds}: close by resetting.
_RESET = struct.pack("ii", 1, 0)

# An IPv4 peer of an inherited socket that serves both families (RFC 4291 section
# 2.5.5.2).
_MAPPED = "::ffff:"

CLOSED = "this connection was closed on this side"


def accepted(sock: socket.socket, address: object) -> SocketTransport:
    """The transport of a connection, from what ``accept()`` returned."""
    undelayed(sock)
    return SocketTransport(sock, peer_at(address))


def undelayed(sock: socket.socket) -> None:
    """Let small writes on *sock* go out at once."""
    # Without it a second small write waits 40 ms for the first's ACK.  A Unix socket
    # does not know it; one that is reset already says so to its first read.
    try:  # noqa: SIM105  # suppress() takes a microsecond, for each connection
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError:
        pass


def peer_at(address: object) -> Peer:
    """The peer at a socket *address*: ("127.0.0.1", 5000), or a Unix socket's name.

    >>> str(peer_at(("::1", 5000, 0, 0)))
    '[::1]:5000'
    >>> str(peer_at(""))
    'unix'
    """
    if not isinstance(address, tuple):
        return Peer("unix")
    host, port, *_ = address
    if host.startswith(_MAPPED) and "." in host:
        host = host.removeprefix(_MAPPED)
    return Peer(host, port)


def unsent(sock: socket.socket) -> int:
    """Bytes that *sock* has been given and its peer has not acknowledged; 0 if unknown.

    For a Unix socket: that its peer has not read.
    """
    try:
        answer = ioctl(sock, TIOCOUTQ, bytes(4))
    except (OSError, ValueError):
        return 0  # a system that does not tell, or closed
    return int.from_bytes(answer, sys.byteorder)


def require_some(max_bytes: int) -> None:
    """Refuse to receive nothing: it would look like the end."""
    if max_bytes < 1:
        msg = f"max_bytes is {max_bytes}; it takes at least 1 to see the end"
        raise ValueError(msg)


class SocketTransport(Transport):
    """The bytes of a connected stream socket, which it owns from now on.

    It hears its peer leave only by reading, so it never calls `gone`.
    """

    # Elsewhere the call is another, and what is in memory cannot be asked.
    sends_files = sys.platform == "linux"

    def __init__(self, sock: socket.socket, peer: Peer) -> None:
        sock.setblocking(False)
        self._socket = sock
        self._sending = False
        self._finished = False
        self._handed = 0  # bytes that the system has taken
        self.peer = peer

    async def handshake(self) -> str | None:
        """Nothing precedes HTTP here: None."""
        await trio.lowlevel.checkpoint()
        return None

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Wait for some bytes, *max_bytes* at most; b"" once the peer has finished.

        Cancelling it loses nothing.
        """
        max_bytes = READ_SIZE if max_bytes is None else operator.index(max_bytes)
        if max_bytes < 1:
            msg = f"max_bytes is {max_bytes}; it takes at least 1 to see the end"
            raise ValueError(msg)
        if self._socket.fileno() == -1:
            raise await self._closed()
        while True:
            # Wait first: mostly a connection is read before its peer has written, and
            # a recv() that finds nothing is not free (1.3 us).
            await trio.lowlevel.wait_readable(self._socket)
            try:
                return self._socket.recv(max_bytes)
            except BlockingIOError:
                continue  # woken for nothing, as select(2) warns
            except OSError as error:
                raise self._fault(error) from error

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send all of *data*; returns when the system has it.

        Cancelled while it waits, it has sent an unknown part.
        """
        self._begin_sending()
        try:
            if self._finished or self._socket.fileno() == -1:
                raise await self._closed()
            await trio.lowlevel.checkpoint_if_cancelled()
            with memoryview(data).cast("B") as view:
                sent = self._send(view)
                while sent < len(view):
                    await trio.lowlevel.wait_writable(self._socket)
                    sent += self._send(view[sent:])
            # Others run; but what has been sent must not be reported as cancelled.
            await trio.lowlevel.cancel_shielded_checkpoint()
        finally:
            self._sending = False

    def _send(self, view: memoryview) -> int:
        try:
            sent = self._socket.send(view)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise self._fault(error) from error
        self._handed += sent
        return sent

    def send_file_now(self, source: int, at: int, size: int) -> int:
        """Let the system send of an open file what there is room for; see Transport."""
        if self._sending:
            raise trio.BusyResourceError("another task is sending on this connection")
        if self._finished or self._socket.fileno() == -1:
            raise trio.ClosedResourceError(CLOSED)
        try:
            sent = os.sendfile(self._socket.fileno(), source, at, size)
        except BlockingIOError:
            self._no_room()
            raise trio.WouldBlock from None
        except ConnectionError as error:
            raise self._fault(error) from error
        except OSError:
            return 0  # of this file, or by this system
        self._handed += sent
        return sent

    def _no_room(self) -> None:
        """Note that nothing more can be sent until the peer has taken something."""

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until there is room for some bytes.  Cancelling it loses nothing."""
        self._begin_sending()
        try:
            if self._finished or self._socket.fileno() == -1:
                raise await self._closed()
            await trio.lowlevel.wait_writable(self._socket)
        finally:
            self._sending = False

    async def send_eof(self) -> None:
        """Send no more, and let the peer know; receiving goes on."""
        self._begin_sending()
        try:
            if self._socket.fileno() == -1:
                raise await self._closed()
            await trio.lowlevel.checkpoint()
            if not self._finished:
                self._shut_down()
        finally:
            self._sending = False

    def _shut_down(self) -> None:
        self._finished = True
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError as error:
            raise self._fault(error) from error

    async def aclose(self) -> None:
        """Close the connection; what was sent still goes out.  Any number of times."""
        self._leave()
        await trio.lowlevel.checkpoint()

    def taken(self) -> int:
        """How many bytes the peer has acknowledged."""
        return self._handed - unsent(self._socket)

    def abort(self) -> None:
        """Reset the connection: the peer sees an error, and loses what it had not read.

        A Unix socket cannot: its peer sees an end.
        """
        with suppress(OSError):  # closed, or reset by the peer
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._close()

    def _leave(self) -> None:
        """Close in such a way that the peer hears of it."""
        if not self._finished and self._socket.fileno() != -1:
            # What a handler has forked may hold a copy, and then closing says nothing.
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_WR)
        self._close()

    def _close(self) -> None:
        if self._socket.fileno() != -1:
            trio.lowlevel.notify_closing(self._socket)
            self._socket.close()

    def _begin_sending(self) -> None:
        # The pieces of two writers would be mixed where the socket takes them in parts.
        if self._sending:
            raise trio.BusyResourceError("another task is sending on this connection")
        self._sending = True

    async def _closed(self) -> trio.ClosedResourceError:
        await trio.lowlevel.checkpoint()
        if self._socket.fileno() == -1:
            return trio.ClosedResourceError(CLOSED)
        return trio.ClosedResourceError("this side has said that it sends no more")

    def _fault(self, error: OSError) -> Exception:
        # Closed by another task between our waking and our turn.
        if self._socket.fileno() == -1:
            return trio.ClosedResourceError(CLOSED)
        return trio.BrokenResourceError(str(error))
