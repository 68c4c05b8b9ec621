"""Handshakes: no more at once than there is time for, and none for ever."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

# Seconds that a handshake may go on while others wait for its place.  Three round trips
# to the other side of the world take one; who needs more gets it while there is room.
PATIENCE = 1.0


class Handshakes:
    """At most *most* handshakes at work at once; others wait in the order they come.

    Where nobody would ever leave, because peers begin and then say nothing, whoever has
    been at it longest goes.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._door = trio.Lock()
        self._running: dict[trio.CancelScope, float] = {}  # since when; oldest first
        self._left = trio.lowlevel.ParkingLot()

    @property
    def running(self) -> int:
        """How many are at work."""
        return len(self._running)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Shake hands in the block; trio.BrokenResourceError for want of a place."""
        if len(self._running) >= self.most or self._door.locked():
            async with self._door:
                while len(self._running) >= self.most:
                    await self._make_room()
        scope = trio.CancelScope()
        self._running[scope] = trio.current_time()
        try:
            with scope:
                yield
        finally:
            del self._running[scope]
            self._left.unpark_all()
        if scope.cancelled_caught:
            raise trio.BrokenResourceError("others waited for this handshake to end")

    async def _make_room(self) -> None:
        oldest, since = next(iter(self._running.items()))
        with trio.move_on_at(since + PATIENCE):
            await self._left.park()
            return
        oldest.cancel(reason="it took too long while others waited")
        if oldest in self._running:
            await self._left.park()
