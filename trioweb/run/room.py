"""Room: how many connections there may be, and who goes when there are too many."""

from __future__ import annotations

from collections.abc import Callable

import trio

# Descriptors kept for everything else: files, listening sockets, what handlers open.
# A server that has spent its last one on a connection cannot even answer it.
RESERVE = 128

# Seconds between two looks for a connection to evict: one that was at work when there
# was no room left may be idle by now.
AGAIN = 0.1


class Room:
    """A count of connections, kept below *most* by whoever waits before each.

    *evict* closes the connection that has been idle longest, and says whether there was
    one; it makes room for a peer that has something to say.
    """

    def __init__(self, most: int, evict: Callable[[], bool]) -> None:
        self._most = most
        self._evict = evict
        self._taken = 0
        self._left = trio.lowlevel.ParkingLot()

    @property
    def free(self) -> int:
        """How many more there may be now; below 0 where somebody did not wait."""
        return self._most - self._taken

    @property
    def taken(self) -> int:
        """How many there are."""
        return self._taken

    async def wait(self) -> None:
        """Wait until there is room for one more.

        Cancelling it loses nothing.
        """
        while self.free <= 0:
            await self.make()

    async def make(self) -> None:
        """Evict one that is idle, and wait a moment until somebody has gone."""
        self._evict()
        with trio.move_on_after(AGAIN):
            await self._left.park()

    def enter(self) -> None:
        """Count one more."""
        self._taken += 1

    def leave(self) -> None:
        """Count one less."""
        self._taken -= 1
        if self._left:
            self._left.unpark()


def affordable(most: int) -> int:
    """*most* connections, or as many as there are descriptors for; at least 1."""
    try:
        import resource  # noqa: PLC0415  # some systems have no such limits
    except ImportError:
        return most
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return most
    return max(1, min(most, soft - RESERVE))
