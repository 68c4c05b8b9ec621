"""Outgoing: one buffer and one writer for all streams of a connection, in turns.

Whoever has a frame puts it into the buffer; one task writes the buffer out, whole,
while the next fills.  Content comes by turns: a stream frames at most 16 KiB and goes
behind the others that wait, so none is starved by a neighbour's size.  Between asking
a window and spending it there is no await: a turn is one synchronous call.

Bounded: streams get no turn while as much waits as one write should have, and what is
put beside the turns (answers to the peer's own frames) ends the connection where the
peer does not read it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

import msgspec
import trio

from trioweb.message.exchange import Ending, Exchanged
from trioweb.message.transport import Transport
from trioweb.wire.limits import OUTGOING, OVERFLOW
from trioweb.wire.watch import Watch

Record = Callable[[Exchanged], None]
"""Told of an exchange when it is over; it must not block."""


class Turn(Protocol):
    """A stream that has something to send."""

    def deal(self) -> bool:
        """Put the next frames; whether another turn is wanted now.  Must not block."""


class Outgoing:
    """What is to be written to the peer, in order."""

    __slots__ = (
        "_asleep",
        "_buffer",
        "_ended",
        "_parked",
        "_put",
        "_records",
        "_stirred",
        "_transport",
        "_turns",
        "_watch",
        "_written",
        "broken",
        "files",
        "torn",
    )

    def __init__(self, transport: Transport, watch: Watch) -> None:
        self._transport = transport
        self._watch = watch
        self._buffer = bytearray()
        self._turns: deque[Turn] = deque()
        self._parked: dict[Turn, None] = {}  # the one that has waited longest first
        self._records: deque[tuple[int, Record, Exchanged]] = deque()
        self._stirred = trio.lowlevel.ParkingLot()
        self._asleep = False  # the writer waits to be stirred
        self._written = 0  # bytes that the system has
        self._ended = False  # write what is there, and no more
        self._put = 0  # bytes, written or not
        self.files = 0  # that are being sent
        self.broken = False  # nobody is there to take it
        self.torn = False  # a write has begun and not ended

    @property
    def full(self) -> bool:
        """Whether streams must wait for their turns."""
        return len(self._buffer) >= OUTGOING

    @property
    def crowded(self) -> bool:
        """Whether others wait for their turns."""
        return bool(self._turns) or self.full

    @property
    def overflowing(self) -> bool:
        """Whether so much waits that the peer cannot be reading."""
        return len(self._buffer) >= OVERFLOW

    def taken(self) -> int:
        """How many bytes of all streams the peer has taken so far."""
        return self._transport.taken()

    def put(self, data: bytes | memoryview) -> None:
        """Write *data* after all that was put before."""
        if data:
            self._buffer += data
            self._put += len(data)
            self._stir()

    def queue(self, turn: Turn) -> None:
        """Give *turn* its turn: at once if nobody waits for one, else after those."""
        if not self._turns and not self.full:
            if not turn.deal():
                return
        self._turns.append(turn)
        self._stir()

    def park(self, turn: Turn) -> None:
        """Give *turn* no turn until there is `room`: its window is shut."""
        self._parked[turn] = None

    def unpark(self, turn: Turn) -> None:
        """Forget that *turn* waits for a window."""
        self._parked.pop(turn, None)

    def parked(self, turn: Turn) -> bool:
        """Whether *turn* waits for a window."""
        return turn in self._parked

    def room(self, turn: Turn | None = None) -> None:
        """Go on with *turn*, or with all, whose window may have opened.

        Whoever has waited longest goes first: where the connection's window is small,
        the first stream would else have all of it.
        """
        if turn is None:
            self._turns.extend(self._parked)
            self._parked.clear()
            self._stir()
        elif turn in self._parked:
            del self._parked[turn]
            self.queue(turn)

    def record(self, record: Record, exchanged: Exchanged) -> None:
        """Have *exchanged* recorded when the system has all that was put so far.

        Its time ends with the last byte put; if that is never written, the peer has
        left first.
        """
        if self._put <= self._written:
            record(exchanged)  # as a tunnel's, whose last word was some time ago
            return
        self._records.append((self._put, record, exchanged))

    def end(self) -> None:
        """Let `run` return once all is written."""
        self._ended = True
        self._stir()

    async def run(self, lost: Callable[[], None]) -> None:
        """Write, until `end` or until the peer is gone: then call *lost*."""
        while True:
            self._take_turns()
            if not self._buffer:
                if self._ended:
                    return
                self._asleep = True
                await self._stirred.park()
            elif not await self.write():
                lost()
                return

    async def write(self) -> bool:
        """Write what is there now; False if nobody takes it any more."""
        data, self._buffer = self._buffer, bytearray()
        self.torn = True
        self._watch.write_begins()
        try:
            await self._transport.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            self.broken = True
            return False
        finally:
            self._watch.write_ended()
        self.torn = False
        self._written += len(data)
        while self._records and self._records[0][0] <= self._written:
            _, record, exchanged = self._records.popleft()
            record(exchanged)
        return True

    def settle(self) -> None:
        """Record what still waits for a write, although there will be none."""
        for _, record, each in self._records:
            whole = each.ending is Ending.COMPLETE
            ending = Ending.GONE if whole else each.ending
            record(msgspec.structs.replace(each, ending=ending))
        self._records.clear()

    def _stir(self) -> None:
        # To ask the lot itself is five times as dear, three times a response.
        if self._asleep:
            self._asleep = False
            self._stirred.unpark()

    def _take_turns(self) -> None:
        while self._turns and not self.full:
            turn = self._turns.popleft()
            if turn.deal():
                self._turns.append(turn)
