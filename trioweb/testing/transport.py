"""An in-memory transport: the two ends of a connection without a socket.

Time never passes in it.  What one end does the other knows at once, so a test on a
virtual clock sees the order of events and never a delay of the system's.

Two things are stricter than TCP, to make tests repeatable.  Sending to an end that has
closed fails at the first attempt, where TCP learns of it from the answer to the first
segment; and closing with bytes unread is an end (FIN) like any other, where TCP turns
it into a reset.
"""

from __future__ import annotations

from operator import index
from typing import TYPE_CHECKING

import trio

from trioweb.message.transport import Gone, Peer, Transport

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

# What a direction holds before its sender must wait, bytes.  The order of a socket's
# buffer: enough that a small exchange never waits, so little that a test of
# back-pressure does not need megabytes.
BUFFER = 64 * 1024

MEMORY = Peer("memory")


def memory_pair(
    *,
    buffer: int = BUFFER,
    alpn: str | None = None,
    secure: bool = False,
    peer: Peer = MEMORY,
) -> tuple[MemoryTransport, MemoryTransport]:
    """Two transports, each of which receives what the other sends.

    *buffer* is what each direction holds before its sender waits, in bytes.  *alpn* is
    what ``handshake`` answers, *secure* and *peer* are what the ends say of themselves.
    """
    if buffer < 1:
        msg = f"a buffer of {buffer} bytes would never let a byte through"
        raise ValueError(msg)
    there, back = _Pipe(buffer), _Pipe(buffer)
    one = MemoryTransport(there, back, alpn=alpn, secure=secure, peer=peer)
    two = MemoryTransport(back, there, alpn=alpn, secure=secure, peer=peer)
    there.reader, back.reader = two, one
    return one, two


class MemoryTransport(Transport):
    """One end of an in-memory connection; `memory_pair` makes two.

    Any method but ``abort`` is a checkpoint.  Cancelling ``receive_some`` loses
    nothing; cancelling ``send_all`` leaves unsaid how much has gone.
    """

    def __init__(
        self,
        outgoing: _Pipe,
        incoming: _Pipe,
        *,
        alpn: str | None,
        secure: bool,
        peer: Peer,
    ) -> None:
        self.peer = peer
        self.secure = secure
        self._alpn = alpn
        self._outgoing = outgoing
        self._incoming = incoming
        self._sending = _Turn("sending on")
        self._receiving = _Turn("receiving from")
        self._closed = False
        self._listener: Callable[[Gone], None] | None = None
        self._untold: list[Gone] = []

    # A property, because a peer may leave before anybody listens: whoever comes late
    # hears it on arrival, as from a hub that is asked to watch a socket already shut.
    @property
    def gone(self) -> Callable[[Gone], None] | None:
        """Whom to tell that the peer has left; see Transport."""
        return self._listener

    @gone.setter
    def gone(self, listener: Callable[[Gone], None] | None) -> None:
        self._listener = listener
        self._tell()

    @property
    def closed(self) -> bool:
        """Whether this end has closed or aborted."""
        return self._closed

    @property
    def readable(self) -> bool:
        """Whether ``receive_some`` has something to say: bytes, an end or an error."""
        return self._closed or self._incoming.readable

    async def handshake(self) -> str | None:
        """The protocol that the pair was made with: nothing needs to be agreed on."""
        await trio.lowlevel.checkpoint()
        return self._alpn

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """The next bytes, at most *max_bytes*; b"" once the peer has finished."""
        limit = self._incoming.size if max_bytes is None else index(max_bytes)
        if limit < 1:
            msg = f"max_bytes must be at least 1, not {limit}"
            raise ValueError(msg)
        with self._receiving:
            await trio.lowlevel.checkpoint()
            self._check_open()
            while not self._incoming.readable:
                await self._incoming.changed.park()
                self._check_open()
            return self._incoming.take(limit)

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send *data*; return when the last byte has found room in the buffer."""
        with self._sending, memoryview(data) as view:
            await trio.lowlevel.checkpoint()
            self._check_sending()
            sent = self._outgoing.put(view)
            while sent < len(view):
                await self._outgoing.changed.park()
                self._check_sending()
                sent += self._outgoing.put(view[sent:])

    def send_now(self, data: bytes) -> int:
        """Send what finds room in the buffer at once: how many bytes of *data*."""
        with self._sending:
            self._check_sending()
            return self._outgoing.put(memoryview(data))

    async def wait_send_all_might_not_block(self) -> None:
        """Return when there is room for a byte."""
        with self._sending:
            await trio.lowlevel.checkpoint()
            self._check_sending()
            while not self._outgoing.room:
                await self._outgoing.changed.park()
                self._check_sending()

    async def send_eof(self) -> None:
        """Send no more (FIN); receiving goes on."""
        with self._sending:
            await trio.lowlevel.checkpoint()
            self._check_open()
            self._outgoing.finish()

    async def aclose(self) -> None:
        """Send no more and receive no more; any number of times."""
        self._leave()
        self._outgoing.finish()
        await trio.lowlevel.checkpoint()

    def taken(self) -> int:
        """How many bytes the peer has read."""
        return self._outgoing.taken

    def abort(self) -> None:
        """Reset the connection: what the peer has not yet read is lost to it."""
        if not self._closed:
            self._leave()
            self._outgoing.reset()

    def hear(self, gone: Gone) -> None:
        """Take notice of the peer's leaving; the pipe says it, once for each way."""
        self._untold.append(gone)
        self._tell()

    def _tell(self) -> None:
        while self._listener is not None and self._untold and not self._closed:
            self._listener(self._untold.pop(0))

    def _leave(self) -> None:
        self._closed = True
        self._incoming.refuse()
        # Our own tasks, parked in either direction, must wake to find us closed.
        self._outgoing.changed.unpark_all()

    def _check_open(self) -> None:
        if self._closed:
            msg = "this transport was closed"
            raise trio.ClosedResourceError(msg)
        if self._incoming.broken:
            msg = "the peer reset the connection"
            raise trio.BrokenResourceError(msg)

    def _check_sending(self) -> None:
        self._check_open()
        if self._outgoing.finished:
            msg = "nothing can be sent after send_eof()"
            raise trio.ClosedResourceError(msg)
        if self._outgoing.refused:
            msg = "the peer closed the connection"
            raise trio.BrokenResourceError(msg)


class _Pipe:
    """The bytes under way in one direction, and how either end of it has left."""

    reader: MemoryTransport

    def __init__(self, size: int) -> None:
        self.size = size  # bytes
        self.finished = False  # the writer sends no more
        self.broken = False  # the writer reset the connection
        self.refused = False  # the reader takes no more
        # Parks the reader while there is nothing and the writer while there is no
        # room: never both, so one lot serves them.
        self.changed = trio.lowlevel.ParkingLot()
        self.taken = 0  # bytes that the reader has had
        self._held = bytearray()

    @property
    def readable(self) -> bool:
        return bool(self._held) or self.finished or self.broken

    @property
    def room(self) -> int:
        return self.size - len(self._held)

    def put(self, data: memoryview) -> int:
        fitting = data[: self.room]
        self._held += fitting
        self.changed.unpark_all()
        return len(fitting)

    def take(self, limit: int) -> bytes:
        taken = bytes(self._held[:limit])
        del self._held[:limit]
        self.taken += len(taken)
        self.changed.unpark_all()
        return taken

    def finish(self) -> None:
        if self.finished or self.broken:
            return
        self.finished = True
        self.changed.unpark_all()
        self.reader.hear(Gone.FINISHED)

    def reset(self) -> None:
        self.broken = True
        self._held.clear()
        self.changed.unpark_all()
        self.reader.hear(Gone.RESET)

    def refuse(self) -> None:
        self.refused = True
        self._held.clear()
        self.changed.unpark_all()


class _Turn:
    """Lets one task in; tells a second that it is one too many."""

    def __init__(self, doing: str) -> None:
        self._doing = doing
        self._taken = False

    def __enter__(self) -> None:
        if self._taken:
            msg = f"another task is {self._doing} this transport"
            raise trio.BusyResourceError(msg)
        self._taken = True

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._taken = False
