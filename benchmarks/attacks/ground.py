"""Ground: where an attack takes place; connections whose endings are counted."""

from __future__ import annotations

import contextlib
import random
import re
import socket
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import trio

from benchmarks.attacks.tally import CLOSED, HELD, HUNG, RESET, Tally

# Connections that are being opened at once.  The listening queue has room for more; a
# queue that runs over costs its victim a second, which would be all that is measured.
OPENING = 100

# Seconds that one who has come to stay keeps the next from coming, so that a thousand
# come a second.  The system takes any number for the server at once, and whoever comes
# behind two thousand waits for them all: that is what attacks that come and go measure.
ARRIVAL = 0.1

# Bytes of a segment on the way to a peer with a narrow buffer, as on an Ethernet.  The
# segments of a loopback are so large that the system would keep 2.5 MiB for each.
SEGMENT = 1400

# Seconds a server gets to close after it has said that it will.
CLOSING = 4.0

# The state of a connection that stands, the first byte of TCP_INFO (linux/tcp.h), and
# of one that a reset has ended.
_ESTABLISHED = 1
_CLOSED = 7

_STATUS = re.compile(rb"HTTP/1\.1 (\d{3})")


class Unreachable(Exception):
    """No connection could be made."""


class Line:
    """One connection of a hostile peer; *ending* is how it ended, as far as known."""

    def __init__(self, sock: trio.socket.SocketType) -> None:
        self.ending = HELD
        self._socket = sock

    async def send(self, content: bytes) -> None:
        """Send all of *content*."""
        view = memoryview(content)
        while view:
            view = view[await self._socket.send(view) :]

    async def receive(self, most: int = 65536) -> bytes:
        """At most *most* bytes of what has come; empty once the server has closed."""
        return await self._socket.recv(most)

    def finish(self) -> None:
        """Say that no more will be sent."""
        self._socket.shutdown(socket.SHUT_WR)

    def abort(self) -> None:
        """Close at once, by a reset."""
        linger = struct.pack("ii", 1, 0)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._socket.close()

    def stands(self) -> bool:
        """Whether the connection still stands, without reading what has come on it."""
        state = self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
        if state == _ESTABLISHED:
            return True
        self.ending = RESET if state == _CLOSED else CLOSED
        return False

    async def ended(self, within: float) -> bool:
        """Whether the server answers or closes *within* so many seconds."""
        with trio.move_on_after(within):
            answer = await self.receive()
            await self._closed(answer)
            return True
        return False

    async def told(self) -> None:
        """Read until the server closes: the status is the ending, if one has come.

        What a reset takes away after it, nobody misses.
        """
        answer = b""
        try:
            while piece := await self.receive():
                answer += piece
            self.ending = CLOSED
        except ConnectionError:
            self.ending = RESET
        if match := _STATUS.match(answer):
            self.ending = match[1].decode()

    async def _closed(self, answer: bytes) -> None:
        """Note the last status of *answer* and what follows, up to the close."""
        self.ending = HUNG
        with trio.CancelScope(deadline=trio.current_time() + CLOSING, shield=True):
            while True:
                piece = await self.receive()
                if not piece:
                    break
                answer = (answer + piece)[-65536:]
            statuses = _STATUS.findall(answer)
            self.ending = statuses[-1].decode() if statuses else CLOSED


@dataclass(slots=True)
class Ground:
    """Where an attack takes place: the server's port, chance by seed, and the tally."""

    port: int
    chance: random.Random
    until: float  # when the attack ends, on Trio's clock
    tally: Tally = field(default_factory=Tally)
    opening: trio.CapacityLimiter = field(
        default_factory=lambda: trio.CapacityLimiter(OPENING)
    )

    @contextlib.asynccontextmanager
    async def connect(
        self, *, receive_buffer: int = 0, to_stay: bool = False
    ) -> AsyncIterator[Line]:
        """A connection for as long as the block lasts, whoever ends it.

        Those who come *to_stay* come one after the other.  *receive_buffer* in bytes,
        before the system rounds it up, and with it segments as they are on a network; 0
        leaves both alone.
        Unreachable if there is none to be had.
        """
        sock = trio.socket.socket()
        with sock:
            await self._open(sock, receive_buffer, ARRIVAL if to_stay else 0)
            line, began = Line(sock), trio.current_time()
            self.tally.open += 1
            try:
                yield line
            except (ConnectionError, trio.ClosedResourceError):
                line.ending = RESET
            finally:
                self.tally.end(line.ending, trio.current_time() - began)

    async def _open(
        self, sock: trio.socket.SocketType, receive_buffer: int, pause: float
    ) -> None:
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SEGMENT)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            async with self.opening:
                await sock.connect(("127.0.0.1", self.port))
                if pause:
                    await trio.sleep(pause)
        except OSError as error:
            self.tally.refused += 1
            raise Unreachable from error
        self.tally.opened += 1
