"""Inbound: the requests of one HTTP/1.1 connection, head by head and piece by piece.

Bounded by its buffer: the peer's bytes are read only when somebody waits for them, one
read at a time, so a handler that does not read stops its own peer.
"""

from __future__ import annotations

import contextlib

import h11
import trio

from trioweb.message.errors import BadRequest, HTTPError, PeerGone
from trioweb.message.transport import Transport
from trioweb.rules.headers import Headers
from trioweb.wire.framing import Chunked, Framing, Sized
from trioweb.wire.gate import Head, check, find_end
from trioweb.wire.limits import EMPTY_LINE, HARD_READ, READ_SIZE, Limits
from trioweb.wire.load import Load
from trioweb.wire.parting import part
from trioweb.wire.plain import plain_head
from trioweb.wire.watch import Watch

_END = b"\r\n\r\n"


class Inbound:
    """Bytes from the peer, on their way through the gate into h11.

    The buffer stays ours: h11 gets a message's own bytes and never one beyond, so what
    follows a message, be it a request or another protocol, is still here, in order.
    """

    __slots__ = (
        "_framing",
        "_h11",
        "_limits",
        "_load",
        "_transport",
        "_watch",
        "broken",
        "buffer",
        "complete",
        "plain",
        "taken",
        "trailers",
        "waiting",
    )

    def __init__(
        self,
        transport: Transport,
        state: h11.Connection,
        limits: Limits,
        watch: Watch,
        load: Load,
    ) -> None:
        self._transport = transport
        self._h11 = state
        self._limits = limits
        self._watch = watch
        self._load = load
        self._framing: Framing = Sized(0)
        self.buffer = bytearray()
        self.complete = True  # the request at work has been read to its end
        self.broken = False  # its framing was wrong: where it ends, nobody knows
        self.taken = 0  # bytes of its content so far
        self.trailers = Headers()  # what came after it
        self.waiting = False  # the peer sends it once it has been told to continue
        self.plain: Head | None = None  # of a request that h11 has not been told of

    async def first(self, *, plain: bool) -> Head | None:
        """Wait for a request to begin; its head, if it has come and is *plain*.

        None also where the connection ends instead: then the buffer is empty.
        """
        buffer = self.buffer
        if plain and not buffer:
            # As `_more` does it; but what is plain, as most is, needs no buffer.
            try:
                data = await self._transport.receive_some(self._size())
            except trio.BrokenResourceError as error:
                raise PeerGone from error
            end = data.find(_END) + len(_END)
            head = plain_head(bytes(data[:end]), self._limits)
            if head is not None:
                buffer += data[end:]
                self._take_up(head)
                return head
            if not data:
                return None
            buffer += data
        if not await self._begun():
            return None
        return self.plain_head() if plain else None

    async def _begun(self) -> bool:
        """Wait for more than an empty line, which is none of the request's."""
        buffer = self.buffer
        while len(buffer) <= len(EMPTY_LINE) and EMPTY_LINE.startswith(buffer):
            if not await self._more():
                buffer.clear()
                return False
        if buffer.startswith(EMPTY_LINE):
            del buffer[: len(EMPTY_LINE)]
        return True

    def plain_head(self) -> Head | None:
        """The next request's head, if it is at hand and plain."""
        buffer = self.buffer
        end = buffer.find(_END) + len(_END)
        if end < len(_END):
            return None
        head = plain_head(bytes(buffer[:end]), self._limits)
        if head is not None:
            del buffer[:end]
            self._take_up(head)
        return head

    def _take_up(self, head: Head) -> None:
        self.plain = head
        self.complete = not head.length
        if head.length:
            self._framing = Sized(head.length)
            self._watch.new_content()
        if self.trailers.raw:
            self.trailers = Headers()

    def tell(self) -> None:
        """Let h11 know of the request at work, with what is left of its content.

        It is to frame the answer, and to keep account from here on.
        """
        head, self.plain = self.plain, None
        if head is None:
            return
        left = 0 if self.complete else self._framing.at_most()
        lines = b"%b / HTTP/1.1\r\nhost: a\r\n" % head.method.encode("ascii")
        if left:
            lines += b"content-length: %d\r\n" % left
        if head.closes:
            lines += b"connection: close\r\n"
        self._h11.receive_data(lines + b"\r\n")
        self._h11.next_event()
        if self.complete:
            self._h11.next_event()  # its EndOfMessage

    async def head(self) -> Head | None:
        """The next request's head; None if the peer leaves in the middle of it.

        Raises HTTPError for what is refused.
        """
        seen = 0
        while (end := find_end(self.buffer, seen, self._limits)) < 0:
            seen = len(self.buffer)
            if not await self._more():
                return None
        head = check(bytes(self.buffer[:end]), self._limits)
        del self.buffer[:end]
        self._begin(head)
        return head

    async def piece(self) -> bytes:
        """The next piece of content; b"" once it is complete.

        Raises BadRequest for malformed framing, PeerGone if the peer leaves first.
        """
        while not self.complete and self.plain is not None:
            piece = await self._proven()
            self.taken += len(piece)
            self.complete = not self._framing.at_most()
            return piece
        while not self.complete:
            # What has come goes on in one piece, however small its chunks are.
            data = []
            while isinstance(event := self._event(), h11.Data):
                data.append(event.data)
            if isinstance(event, h11.EndOfMessage):
                self.complete = True
                self.trailers = Headers.from_wire(list(event.headers))
            if data:
                piece = b"".join(data)
                self.taken += len(piece)
                return piece
            if not self.complete:
                self._h11.receive_data(await self._proven())
        # A checkpoint, as every wait is; a body that is complete is soon asked again.
        await trio.lowlevel.checkpoint()
        return b""

    def whole(self, limit: int) -> bytes | None:
        """The content, if nothing of it was taken, all has come, and *limit* allows."""
        if self.plain is None or self.taken:
            return None
        length = self.plain.length
        if length > limit or length > len(self.buffer):
            return None
        content = self._framing.take(self.buffer) if length else b""
        self.taken = length
        self.complete = True
        return content

    def too_much_left(self) -> bool:
        """Whether what is unread is known not to be worth reading, or cannot be."""
        left = self._framing.at_most()
        return self.broken or (left is not None and left > self._limits.unread)

    async def drain(self) -> bool:
        """Read what the handler left; False if there is no coming to its end.

        That is too much, takes too long, is malformed, or will never come.
        """
        if self.complete:
            return True
        if self.too_much_left() or self.waiting:
            return False
        with (
            contextlib.suppress(HTTPError, PeerGone),
            trio.move_on_after(self._limits.linger),
        ):
            until = self.taken + self._limits.unread
            while await self.piece():
                if self.taken > until:
                    return False
            return True
        return False

    async def part(self) -> None:
        """Finish sending, then wait for the peer to finish too."""
        # Nothing of it is held while more is waited for: many may part at once.
        self.buffer.clear()
        await part(self._transport, self._limits)

    def _begin(self, head: Head) -> None:
        self._framing = Chunked(self._limits) if head.chunked else Sized(head.length)
        self.complete = False
        self.waiting = False
        self.plain = None
        self._watch.new_content()
        if self.trailers:
            self.trailers = Headers()
        self._h11.receive_data(head.raw)
        if not isinstance(self._event(), h11.Request):
            raise BadRequest("the head is malformed")
        if not head.chunked and not head.length:
            self._event()  # its EndOfMessage, which needs no more bytes
            self.complete = True
        # h11 forgets it with the first interim response, whichever that is.
        self.waiting = self._h11.they_are_waiting_for_100_continue

    def _event(self) -> object:
        try:
            return self._h11.next_event()
        except h11.RemoteProtocolError as error:
            self.broken = True
            raise BadRequest(str(error)) from error

    async def _proven(self) -> bytes:
        proven = self._take()
        if proven:
            # The peer is ahead of us: others get their turn all the same.
            await trio.lowlevel.checkpoint()
        while not proven:
            before = len(self.buffer)
            self._watch.wait_for_content()
            try:
                more = await self._more()
            finally:
                self._watch.content_came(len(self.buffer) - before)
            if not more:
                raise PeerGone
            proven = self._take()
        return proven

    def _take(self) -> bytes:
        try:
            return self._framing.take(self.buffer)
        except HTTPError:
            self.broken = True
            raise

    async def _more(self) -> bool:
        try:
            data = await self._transport.receive_some(self._size())
        except trio.BrokenResourceError as error:
            raise PeerGone from error
        self.buffer += data
        return bool(data)

    def _size(self) -> int:
        return HARD_READ if self._load.refusing else READ_SIZE
