"""The hub: one epoll for all connections of a loop, which hears their peers leave.

Each socket is registered once, edge-triggered; one task waits for the whole set and
wakes whoever waits for a socket that stirred.  So a wait costs no system call of its
own, and a FIN or RST is heard while a handler runs, without a task that listens for it.

Readiness is a latch.  An edge sets it, and only a call that found no more to do clears
it: an edge that comes between two looks is not lost, at worst a look finds nothing.

Linux only; elsewhere `trioweb.run.sockets` does the same and hears less.
"""

from __future__ import annotations

import select
import socket
from collections import deque
from collections.abc import Callable
from contextlib import suppress

import trio

from trioweb.message.transport import Gone, Peer
from trioweb.run.latch import Latch
from trioweb.run.sockets import (
    CLOSED,
    SocketTransport,
    peer_at,
    require_some,
    undelayed,
)
from trioweb.wire.limits import READ_SIZE

# Edges taken from the system at one go: whoever asks is soon seen among thousands who
# leave.  One costs half a microsecond.
EDGES = 1024

# Connections woken at one go before the tasks that they woke get their turn: each may
# take 100 µs, so whoever comes next waits a few milliseconds at most.
BATCH = 64

# The same of connections that their peers have left: to clear up after one takes
# 300 µs, and when ten thousand leave at once those who still ask must not wait for it.
FAREWELLS = 8

# Calls answered without waiting before others get their turn: a sixteenth of a
# checkpoint each, and with every connection busy timers are still within 1.2 ms.
TURNS = 16

_EDGES = select.EPOLLIN | select.EPOLLOUT | select.EPOLLRDHUP | select.EPOLLET
_LEAVING = select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR
# An end and a fault are found by who reads, and a fault by who writes.
_COMING = select.EPOLLIN | _LEAVING
_GOING = select.EPOLLOUT | select.EPOLLHUP | select.EPOLLERR


class Hub:
    """The connections of one event loop, and the task that wakes theirs."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._transports: dict[int, HubTransport] = {}
        # Edges that are still to be passed on, of peers who ask and of those who left.
        self._asking: deque[HubTransport] = deque()
        self._leaving: deque[HubTransport] = deque()

    async def run(self) -> None:
        """Wake whoever waits for a socket that stirred, until cancelled."""
        try:
            while True:
                if self._asking or self._leaving:
                    await trio.lowlevel.checkpoint()
                else:
                    await trio.lowlevel.wait_readable(self._epoll.fileno())
                self._poll()
                _wake(self._asking, BATCH)
                _wake(self._leaving, FAREWELLS)
        finally:
            self._epoll.close()

    def accepted(self, sock: socket.socket, address: object) -> HubTransport:
        """The transport of a connection, from what ``accept()`` returned."""
        undelayed(sock)
        return HubTransport(sock, peer_at(address), self)

    def add(self, transport: HubTransport, sock: socket.socket) -> None:
        """Hear of *sock* from now on."""
        self._transports[sock.fileno()] = transport
        self._epoll.register(sock.fileno(), _EDGES)

    def remove(self, sock: socket.socket) -> None:
        """Hear of *sock* no more; before it is closed."""
        del self._transports[sock.fileno()]
        # By hand, because a copy in a child process would keep it registered; after
        # the hub has ended there is nothing to take it from.
        with suppress(OSError, ValueError):
            self._epoll.unregister(sock.fileno())

    def _poll(self) -> None:
        for descriptor, flags in self._epoll.poll(0, EDGES):
            transport = self._transports[descriptor]
            if not transport.flags:
                (self._leaving if flags & _LEAVING else self._asking).append(transport)
            transport.flags |= flags


def _wake(waiting: deque[HubTransport], most: int) -> None:
    """Pass on the edges of *most* of those *waiting*."""
    for _ in range(min(most, len(waiting))):
        transport = waiting.popleft()
        flags, transport.flags = transport.flags, 0
        transport.stirred(flags)


class HubTransport(SocketTransport):
    """The bytes of a connected stream socket, heard of through a `Hub`."""

    def __init__(self, sock: socket.socket, peer: Peer, hub: Hub) -> None:
        super().__init__(sock, peer)
        self._hub = hub
        self._readable = Latch("reading from")
        self._writable = Latch("sending on")
        self._ending = False  # an end or a fault lies behind what can be read
        self._left: Gone | None = None
        self._listener: Callable[[Gone], None] | None = None
        self._turns = 0
        self._over = False  # closed on this side; to ask the socket is a call
        self.flags = 0  # edges that the hub has still to pass on
        hub.add(self, sock)

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Wait for some bytes, *max_bytes* at most; b"" once the peer has finished.

        Cancelling it loses nothing.  Where bytes are there it lets others run only
        every few calls.
        """
        size = READ_SIZE if max_bytes is None else max_bytes
        if size < 1:
            require_some(size)
        latch = self._readable
        if latch.ready:
            await self._turn()
        while True:
            if self._over:
                raise trio.ClosedResourceError(CLOSED)
            if not latch.ready:
                self._turns = 0
                # As `wait` does it; most of all waits are for a request to come.
                latch.begin()
                await trio.lowlevel.wait_task_rescheduled(latch.abandon)
            data = self._look(size)
            if data is not None:
                return data

    def _look(self, size: int) -> bytes | None:
        try:
            data = self._socket.recv(size)
        except BlockingIOError:
            self._readable.ready = False
            return None
        except OSError as error:
            raise self._fault(error) from error
        # Fewer than asked for: there was no more, unless the end is right behind.
        if len(data) < size and not self._ending:
            self._readable.ready = False
        return data

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send all of *data*; returns when the system has it.

        Cancelled while it waits, it has sent an unknown part.  Where there is room it
        lets others run only every few calls.
        """
        self._begin_sending()
        try:
            await self._turn()
            # The usual answer goes out whole, and costs no view of itself.
            sent = self._try(data)
            if sent == len(data):
                return
            with memoryview(data).cast("B") as view:
                while sent < len(view):
                    if not self._writable.ready:
                        await self._writable.wait()
                    sent += self._try(view[sent:])
        finally:
            self._sending = False

    def send_now(self, data: bytes) -> int:
        """Send what the system takes of *data* at once: how many bytes of it."""
        if self._sending:
            raise trio.BusyResourceError("another task is sending on this connection")
        return self._try(data)

    def _no_room(self) -> None:
        self._writable.ready = False

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until there is room for some bytes.  Cancelling it loses nothing."""
        self._begin_sending()
        try:
            await trio.lowlevel.checkpoint()
            self._require_sending()
            if not self._writable.ready:
                await self._writable.wait()
        finally:
            self._sending = False

    def stirred(self, flags: int) -> None:
        """Take note of an edge: wake who waits, tell `gone` if the peer has left."""
        if flags & _COMING:
            self._readable.open()
        if flags & _GOING:
            self._writable.open()
        if flags & _LEAVING:
            self._ending = True
            self._tell(Gone.RESET if flags & select.EPOLLERR else Gone.FINISHED)

    # A property, because a peer may leave before anybody listens.
    @property
    def gone(self) -> Callable[[Gone], None] | None:
        """Whom to tell that the peer has left; see Transport."""
        return self._listener

    @gone.setter
    def gone(self, listener: Callable[[Gone], None] | None) -> None:
        self._listener = listener
        if self._left is not None and listener is not None:
            listener(self._left)

    def _tell(self, gone: Gone) -> None:
        if self._left in {gone, Gone.RESET}:
            return
        self._left = gone
        if self._listener is not None:
            self._listener(gone)

    def _fault(self, error: OSError) -> Exception:
        # The call that failed has taken the fault away: no edge will tell of it.
        if self._socket.fileno() != -1:
            self._ending = True
            self._tell(Gone.RESET)
        return super()._fault(error)

    def _try(self, data: bytes | bytearray | memoryview) -> int:
        if self._finished or self._over:
            self._require_sending()
        try:
            sent = self._socket.send(data)
        except BlockingIOError:
            self._writable.ready = False
            return 0
        except OSError as error:
            raise self._fault(error) from error
        self._handed += sent
        return sent

    def _require_sending(self) -> None:
        if self._finished or self._over:
            raise trio.ClosedResourceError(CLOSED)

    async def _turn(self) -> None:
        self._turns += 1
        if self._turns < TURNS:
            await trio.lowlevel.checkpoint_if_cancelled()
            return
        self._turns = 0
        await trio.lowlevel.checkpoint()

    def _close(self) -> None:
        self._over = True
        if self._socket.fileno() == -1:
            return
        self._hub.remove(self._socket)
        self._socket.close()
        self._readable.fail()
        self._writable.fail()
