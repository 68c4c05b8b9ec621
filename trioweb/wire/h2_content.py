"""Content: one stream's way in, piece by piece as its handler takes it.

Bounded by the stream's window: the peer is credited only for what the handler has
taken, so a slow handler stops its own peer's stream and no other.
"""

from __future__ import annotations

import trio

from trioweb.message.errors import PeerGone
from trioweb.rules.headers import Headers
from trioweb.rules.pseudo import Malformed
from trioweb.wire.h2_library import Library
from trioweb.wire.h2_outgoing import Outgoing
from trioweb.wire.head import RawFields
from trioweb.wire.limits import STREAM_WINDOW
from trioweb.wire.watch import Watch

# The least a credit is worth a frame, bytes: with a quarter of the window owed the peer
# still has three quarters to fill.
_CREDIT = STREAM_WINDOW // 4


class Content:
    """What has come on one stream after its head."""

    __slots__ = (
        "_came",
        "_declared",
        "_dropped",
        "_library",
        "_number",
        "_outgoing",
        "_owed",
        "_pieces",
        "_stirred",
        "_trailing",
        "ended",
        "gone",
        "taken",
        "trailers",
        "waiting",
        "watch",
    )

    def __init__(self, number: int, library: Library, outgoing: Outgoing) -> None:
        self._number = number
        self._library = library
        self._outgoing = outgoing
        self.watch: Watch  # of whoever waits for it
        self._stirred: trio.lowlevel.ParkingLot | None = None  # there, once waited for
        self._pieces: list[bytes] = []
        self._declared: int | None = None
        self._came = 0  # bytes so far, without padding
        self._owed = 0  # bytes taken, for which the peer has no credit yet
        self._dropped = False  # nobody will take the rest
        self.ended = False  # the peer has sent the last of it
        self.gone = False  # ... and never will
        self.taken = 0  # bytes of it so far, by the handler or dropped
        # What came after it, once it was read to its end.
        self.trailers = Headers.from_wire([])
        self._trailing: RawFields = []
        self.waiting = False  # the peer sends it once it has been told to continue

    def begin(self, length: int | None, *, ended: bool, waiting: bool) -> None:
        """The head has come, which declares so much."""
        self._declared = length
        self.ended = ended
        self.waiting = waiting and not ended

    @property
    def complete(self) -> bool:
        """Whether all of it has been taken."""
        return self.ended and not self._pieces

    @property
    def begun(self) -> bool:
        """Whether some of it has come, taken or not."""
        return self._came > 0 or self.ended

    @property
    def left(self) -> int | None:
        """How much is still to come, where it was declared."""
        return None if self._declared is None else self._declared - self._came

    def come(self, data: bytes, size: int, *, ended: bool) -> None:
        """Keep what has come; Malformed if it is not what was declared."""
        self._came += len(data)
        left = self.left
        if left is not None and (left < 0 or (ended and left)):
            raise Malformed("the content is not as long as was declared")
        if data and not self._dropped:
            self._pieces.append(data)
            self._pay(size - len(data))
        else:
            self.taken += len(data)
            self._pay(size)
        self._finish(ended=ended)

    def trail(self, fields: RawFields, *, ended: bool) -> None:
        """Fields have come after it: it has ended.  Malformed if it has not."""
        if self.left or not ended:
            raise Malformed("the content does not end as was declared")
        self._trailing = fields
        self._finish(ended=True)

    def lose(self) -> None:
        """No more will come, and what has is nobody's."""
        self.gone = True
        self._pieces.clear()
        self._stir()

    def drop(self) -> None:
        """Forget what has come and what will: the handler has left it."""
        self._dropped = True
        self._taken(self._all())

    async def piece(self, *, paced: bool = True) -> bytes:
        """All that has come and not been taken; b"" once it is complete.

        *paced*: it must come at the least rate.  Raises PeerGone if the peer leaves
        first.
        """
        if not self._pieces and not self.ended:
            await self._wait(paced=paced)
        else:
            await trio.lowlevel.checkpoint()
        if self.gone:
            raise PeerGone
        piece = self._taken(self._all())
        if not piece:
            self.trailers = Headers.from_wire(self._trailing)
        return piece

    async def _wait(self, *, paced: bool) -> None:
        before = self._came
        if paced:
            self.watch.wait_for_content()
        try:
            self._stirred = self._stirred or trio.lowlevel.ParkingLot()
            while not (self._pieces or self.ended or self.gone):
                await self._stirred.park()
        finally:
            if paced:
                self.watch.content_came(self._came - before)

    def _all(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _taken(self, piece: bytes) -> bytes:
        self.taken += len(piece)
        self._pay(len(piece))
        return piece

    def _pay(self, size: int) -> None:
        self._owed += size
        if self._owed >= _CREDIT and not (self.ended or self.gone):
            self._outgoing.put(self._library.credit(self._number, self._owed))
            self._owed = 0

    def _finish(self, *, ended: bool) -> None:
        self.ended = self.ended or ended
        self._stir()

    def _stir(self) -> None:
        if self._stirred is not None:
            self._stirred.unpark_all()
