"""Writing: the bytes of one HTTP/1.1 connection's answers, on their way to the peer.

A write that did not end leaves nobody knows how much on the wire, so nothing is written
after it.
"""

from __future__ import annotations

from contextlib import suppress

import trio

from trioweb.message.errors import PeerGone
from trioweb.message.transport import Transport
from trioweb.wire.filing import pass_to
from trioweb.wire.pieces import TORN
from trioweb.wire.watch import Watch


class Writing:
    """What has left of the answer at work, and the answers that are held back."""

    __slots__ = (
        "_broken",
        "_held",
        "_open",
        "_torn",
        "_transport",
        "_watch",
        "sent",
        "status",
    )

    def __init__(self, transport: Transport, watch: Watch) -> None:
        self._transport = transport
        self._watch = watch
        self.status: int | None = None  # of the response that has begun to leave
        self.sent = 0  # bytes of it so far
        self._held = bytearray()  # answers that have still to leave
        self._open = False  # it has begun to leave and not ended
        self._torn = False  # a write has begun and not ended
        self._broken = False  # because nobody is there to take it

    @property
    def begun(self) -> bool:
        """Whether it is too late for another response to this request."""
        return self.status is not None or self._torn

    @property
    def unfinished(self) -> bool:
        """Whether what the peer has got so far is a part of something."""
        return self._open or self._torn

    @property
    def held(self) -> int:
        """Bytes of whole answers that are held back, to leave with what comes next."""
        return len(self._held)

    def hold(self, status: int, answer: bytes) -> None:
        """Hold a whole *answer* back; it is over as far as its exchange goes."""
        self.status = status
        self.sent = len(answer)
        self._held += answer

    def flush_now(self) -> None:
        """Send what can be sent at once of what is held back."""
        if self._held and not self._torn:
            # A fault here would be everybody's: its holder meets it at the next write.
            with suppress(Exception):
                del self._held[: self._transport.send_now(bytes(self._held))]

    async def flush(self) -> None:
        """Write what is held back."""
        await self._write(b"")

    def write_now(self, status: int, answer: bytes) -> bytes:
        """Write what can be written at once of a whole *answer*; what is left of it."""
        self.status = status
        self._open = True
        data = answer
        if self._held:
            data = bytes(self._held) + answer
            self._held.clear()
        try:
            left = data[self._transport.send_now(data) :]
        except trio.BrokenResourceError as error:
            self._broken = True
            raise PeerGone from error
        self.sent = len(answer) - len(left)
        self._open = bool(left)
        return left

    async def write_rest(self, left: bytes) -> None:
        """Write what is *left* of a whole answer."""
        await self._write(left)
        self._open = False

    def _start(self, status: int) -> None:
        self.status = status
        self._open = True

    async def _pass_on(self, source: int, at: int, size: int) -> int:
        self._torn = True
        try:
            sent = await pass_to(self._transport, self._watch, source, at, size)
        except trio.BrokenResourceError as error:
            self._broken = True
            raise PeerGone from error
        self._torn = False
        self.sent += sent
        return sent

    def _require_whole(self) -> None:
        if self._broken:
            raise PeerGone
        if self._torn:
            raise RuntimeError(TORN)

    async def _write(self, data: bytes) -> None:
        size = len(data)
        if self._held:
            data = bytes(self._held) + data
            self._held.clear()
        self._torn = True
        self._watch.write_begins()
        try:
            await self._transport.send_all(data)
        except trio.BrokenResourceError as error:
            self._broken = True
            raise PeerGone from error
        finally:
            self._watch.write_ended()
        self._torn = False
        self.sent += size
