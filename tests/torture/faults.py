"""Faults: a transport whose k-th use goes wrong, and that is never quite the same."""

from __future__ import annotations

import enum
import random
from collections.abc import Callable

import trio

from trioweb.message.transport import Gone, Transport
from trioweb.testing.transport import MemoryTransport

# Virtual seconds.  Longer than the shielded waits of the wire; and than all its waits
# for a peer.
PAUSE = 3.0
STALL = 1000.0


class Fault(enum.Enum):
    """What becomes of the use that goes wrong."""

    FAIL = "fails before a byte of it is through"
    TORN = "fails when half of it is through"
    CANCELLED = "is cancelled when half of it is through"
    CRASH = "raises what no transport should"
    PAUSE = "takes 3 s"
    STALL = "takes 1000 s"

    def __str__(self) -> str:
        return f"the transport {self.value} at use"


class Chance:
    """How a network differs from run to run: by a seed, and not at all by seed 0."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)
        self._calm = seed == 0

    def size(self, most: int) -> int:
        """How many of *most* bytes come at once: the fewest often."""
        if self._calm:
            return most
        return min(most, self._dice.choice((1, 2, 7, 64, most)))

    async def delay(self) -> None:
        """Let a moment pass, or none."""
        if not self._calm and self._dice.random() < 0.2:
            await trio.sleep(self._dice.choice((0, 0.01, 0.2)))


class FaultyTransport(Transport):
    """The server's end of a connection in memory, whose *at*-th use goes wrong."""

    def __init__(
        self,
        inner: MemoryTransport,
        *,
        fault: Fault | None = None,
        at: int = 0,
        cancel: Callable[[], object] = bool,
        chance: Chance | None = None,
    ) -> None:
        self.inner = inner
        self.peer = inner.peer
        self.secure = inner.secure
        self.uses = 0
        self._fault = fault
        self._at = at
        self._cancel = cancel
        self._chance = chance or Chance(0)

    # The inner one is listened to by whoever listens to this one.
    @property
    def gone(self) -> Callable[[Gone], None] | None:
        return self.inner.gone

    @gone.setter
    def gone(self, listener: Callable[[Gone], None] | None) -> None:
        self.inner.gone = listener

    @property
    def struck(self) -> bool:
        """Whether the use that goes wrong has come."""
        return self._at == 0 or self.uses >= self._at

    async def handshake(self) -> str | None:
        if self._strikes():
            await self._suffer()
        return await self.inner.handshake()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        await self._chance.delay()
        if self._strikes():
            await self._suffer()
        size = self._chance.size(64 * 1024)
        return await self.inner.receive_some(min(size, max_bytes or size))

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await self._chance.delay()
        done = 0
        if self._strikes():
            if self._fault in {Fault.TORN, Fault.CANCELLED}:
                done = len(data) // 2
                await self.inner.send_all(bytes(data[:done]))
            await self._suffer()
        await self.inner.send_all(bytes(data[done:]))

    def send_now(self, data: bytes) -> int:
        if self._fault in {Fault.PAUSE, Fault.STALL} and self.uses + 1 == self._at:
            # It takes nothing, so that somebody waits for it: that is the use.
            return 0
        if not self._strikes():
            return self.inner.send_now(data[: self._chance.size(len(data))])
        half = data[: len(data) // 2]
        match self._fault:
            case Fault.CRASH:
                raise MemoryError
            case Fault.CANCELLED:
                self._cancel()
                return self.inner.send_now(half)
            case Fault.TORN:
                self.inner.send_now(half)
        raise trio.BrokenResourceError

    async def wait_send_all_might_not_block(self) -> None:
        if self._strikes():
            await self._suffer()
        await self.inner.wait_send_all_might_not_block()

    async def send_eof(self) -> None:
        if self._strikes():
            await self._suffer()
        await self.inner.send_eof()

    async def aclose(self) -> None:
        # Whatever goes wrong with it, it closes: that is the contract of Trio's own.
        try:
            if self._strikes():
                await self._suffer()
        finally:
            with trio.CancelScope(shield=True):
                await self.inner.aclose()

    def taken(self) -> int:
        return self.inner.taken()

    def abort(self) -> None:
        self.inner.abort()

    def _strikes(self) -> bool:
        self.uses += 1
        return self._fault is not None and self.uses == self._at

    async def _suffer(self) -> None:
        match self._fault:
            case Fault.FAIL | Fault.TORN:
                # The pair stays whole: it is for the wire to break it off, where what
                # got through could be taken for all of it.
                raise trio.BrokenResourceError
            case Fault.CANCELLED:
                self._cancel()
                await trio.lowlevel.checkpoint()
            case Fault.CRASH:
                raise MemoryError
            case Fault.PAUSE:
                await trio.sleep(PAUSE)
            case _:
                await trio.sleep(STALL)
