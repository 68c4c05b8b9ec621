"""Backlog: news that wait to be sent, bounded in bytes; the oldest give way."""

from __future__ import annotations

from collections import deque

# Bytes that wait, at most.  Down to a worker: some seconds of a busy server's news;
# what has been stuck for longer is replaced, and its news with it.
DOWN = 4 * 1024 * 1024

# Up to the supervisor, where publishers wait for room: enough to keep it at work.
UP = 256 * 1024

# Bytes that a message costs besides its own: the objects that hold it.  Without them a
# flood of empty ones would not be bounded.
OVERHEAD = 128

# Bytes sent in one call, if there are so many: what the other end reads in one.
SHEAF = 64 * 1024


class Backlog:
    """Encoded messages, the first to be sent next; *dropped* counts those lost."""

    def __init__(self, most: int = DOWN) -> None:
        self.dropped = 0
        self._most = most
        self._size = 0
        self._waiting: deque[bytes] = deque()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    @property
    def size(self) -> int:
        """The bytes that it holds."""
        return self._size

    def put(self, data: bytes) -> None:
        """Let *data* wait; where there is no room the oldest are dropped."""
        self._waiting.append(data)
        self._size += len(data) + OVERHEAD
        while self._size > self._most and len(self._waiting) > 1:
            self._next()
            self.dropped += 1

    def take(self) -> bytes:
        """The first of them: as many as are sent in one call."""
        taken = bytearray(self._next())
        while self._waiting and len(taken) + len(self._waiting[0]) <= SHEAF:
            taken += self._next()
        return bytes(taken)

    def clear(self) -> None:
        """Forget what waits."""
        self._waiting.clear()
        self._size = 0

    def _next(self) -> bytes:
        data = self._waiting.popleft()
        self._size -= len(data) + OVERHEAD
        return data
