"""Sending: one stream's way out, as far as its windows and its turn allow.

Who sends waits until all of a piece is framed, so what is held of a stream is one
piece.  The frame that ends the stream is put on the one path where everything before it
has succeeded; whatever ends before that is reset, and cannot look complete.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import trio

from trioweb.message.errors import PeerGone
from trioweb.wire.h2_account import Account
from trioweb.wire.h2_codes import Code
from trioweb.wire.h2_library import Library
from trioweb.wire.h2_outgoing import Outgoing
from trioweb.wire.head import RawFields
from trioweb.wire.limits import FILE_PIECE, STREAM_PIECE, TURN
from trioweb.wire.pieces import TORN
from trioweb.wire.watch import Watch

_NOTHING = memoryview(b"")


class Sending:
    """The frames of one stream's response; the Turn of its stream."""

    __slots__ = (
        "_account",
        "_busy",
        "_carried",
        "_coming",
        "_end",
        "_head",
        "_left",
        "_library",
        "_moved",
        "_number",
        "_outgoing",
        "_seen",
        "_touched",
        "_trailers",
        "ended",
        "gone",
        "sent",
        "status",
        "watch",
    )

    def __init__(
        self, number: int, library: Library, outgoing: Outgoing, account: Account
    ) -> None:
        self._number = number
        self._library = library
        self._outgoing = outgoing
        self._account = account
        self._moved: trio.lowlevel.ParkingLot | None = None  # there, once waited for
        self._head: RawFields = []
        self._left = _NOTHING
        self._trailers: RawFields = []
        self._coming: int | None = None  # the status of the head that waits
        self._end = False
        self._busy = False  # a piece has been given and not all been framed
        self._touched = False  # some of it has
        self._seen = 0  # bytes that the connection's peer had taken when last asked
        self._carried = 0  # bytes of them while this stream waited for its turn
        self.watch: Watch  # of whoever sends, which asks for what was taken
        self.status: int | None = None  # of the response that has begun to leave
        self.sent = 0  # bytes so far, framing and all
        self.ended = False  # with an end, after all there was
        self.gone = False  # without: one side has reset it

    @property
    def begun(self) -> bool:
        """Whether it is too late for another response."""
        return self.status is not None or self.gone

    @property
    def unfinished(self) -> bool:
        """Whether what the peer has got so far is a part of something."""
        return self.status is not None and not (self.ended or self.gone)

    @property
    def torn(self) -> bool:
        """Whether a piece was cut off or goes on still."""
        return self._busy

    def taken(self) -> int:
        """How far it has got, bytes: its own that have left for the writer.

        Whoever waits for its turn gets on with its neighbours: a slow line takes a
        minute for a piece of each.  Whoever waits for its own window does not.
        """
        taken = self._outgoing.taken()
        if not self._outgoing.parked(self) or self._library.shut:
            self._carried += taken - self._seen
        self._seen = taken
        return self.sent + self._carried

    async def send(
        self,
        data: bytes | bytearray | memoryview = b"",
        *,
        head: RawFields | None = None,
        status: int | None = None,
        trailers: RawFields | None = None,
        end: bool = False,
    ) -> None:
        """Frame *head*, *data* and *trailers*, and the *end* of the stream.

        *head* begins a response with *status*, or none where that is None;
        RuntimeError where one has begun already.

        Returns when the last of it is framed.  Cancelled before the first of it is, it
        has done nothing; after that nothing can follow it.  Raises PeerGone if the
        stream is over.
        """
        if self.gone or self._outgoing.broken:
            raise PeerGone
        if self._busy or self.ended:
            raise RuntimeError(TORN)
        if head and self.status is not None:
            msg = "the response has begun, and no interim one can follow its head"
            raise RuntimeError(msg)
        if end and head and not trailers and self._send_whole(data, head, status):
            return
        self._head, self._trailers = head or [], trailers or []
        self._coming = status
        self._left = memoryview(data)
        self._end = end
        self._busy, self._touched = True, False
        self._outgoing.queue(self)
        if self._busy:
            await self._wait()

    def _send_whole(
        self,
        data: bytes | bytearray | memoryview,
        head: RawFields,
        status: int | None,
    ) -> bool:
        """Frame all of a small answer at once, if nothing is in the way.

        The same as its turns would come to, without their bookkeeping.
        """
        size = len(data)
        if size > TURN or self._outgoing.crowded:
            return False
        if size > self._library.window(self._number):
            return False
        framed = self._library.fields(self._number, head, end=not size)
        if size:
            framed += self._library.content(self._number, size, end=True) + data
            self._account.sent()
        self.status, self.ended = status, True
        self._put(framed)
        return True

    async def _wait(self) -> None:
        self.watch.write_begins()
        try:
            self._moved = self._moved or trio.lowlevel.ParkingLot()
            while self._busy and not self.gone:
                await self._moved.park()
        finally:
            self.watch.write_ended()
            if not self._touched:
                self._busy = False  # it may have another turn, and does nothing there
        if self.gone:
            raise PeerGone

    @contextlib.contextmanager
    def file(self) -> Iterator[Callable[[], int]]:
        """While the block sends a file: how many bytes to read of it at once."""
        self._outgoing.files += 1
        try:
            yield lambda: max(STREAM_PIECE, FILE_PIECE // self._outgoing.files)
        finally:
            self._outgoing.files -= 1

    def deal(self) -> bool:
        """Put frames for one turn; whether another is wanted now."""
        if not self._busy or self.gone:
            return False
        if self._head and self._deal_head():
            return False
        if self._left:
            return self._deal_content()
        if self._end and self._trailers:
            self._put(self._library.fields(self._number, self._trailers, end=True))
        elif self._end:
            self._put(self._library.content(self._number, 0, end=True))
        self._done()
        return False

    def room(self) -> None:
        """The peer has opened a window: go on, if that was waited for."""
        self._outgoing.room(self)

    def reset(self, code: Code) -> None:
        """End the stream before its end, so that the peer sees a break."""
        if not self.gone:
            self._outgoing.put(self._library.reset(self._number, code))
            self.lost()

    def lost(self) -> None:
        """The stream is over: nothing can be sent any more."""
        self.gone = True
        self._left = _NOTHING
        self._outgoing.unpark(self)
        self._stir()

    def _deal_head(self) -> bool:
        """Whether that was all."""
        bare = self._end and not self._left and not self._trailers
        self._put(self._library.fields(self._number, self._head, end=bare))
        self._head = []
        if self._coming is not None:
            self.status = self._coming
        if bare or not (self._left or self._end):
            self._done()
            return True
        return False

    def _deal_content(self) -> bool:
        size = min(len(self._left), TURN, self._library.window(self._number))
        if size <= 0:
            self._outgoing.park(self)
            return False
        piece, self._left = self._left[:size], self._left[size:]
        last = self._end and not self._left and not self._trailers
        self._put(self._library.content(self._number, size, end=last))
        self._put(piece)
        self._account.sent()
        if not self._left and self._end and not last:
            self._put(self._library.fields(self._number, self._trailers, end=True))
        if self._left:
            return True
        self._done()
        return False

    def _put(self, data: bytes | memoryview) -> None:
        self._touched = True
        self.sent += len(data)
        self._outgoing.put(data)

    def _done(self) -> None:
        self._busy = False
        self.ended = self._end
        self._stir()

    def _stir(self) -> None:
        if self._moved is not None:
            self._moved.unpark_all()
