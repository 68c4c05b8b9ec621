"""Writer: lines for a stream that may block or fail, written by a thread of their own.

A log must never hold up what it tells of: a pipe whose reader has stopped and a full
disk cost lines, and nothing else.  Whoever writes a line leaves it in a queue; what
finds no room there, or on the stream, is dropped and counted, and the count is told in
the stream itself when it takes lines again.
"""

from __future__ import annotations

import logging
import math
import os
import select
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from io import UnsupportedOperation
from queue import SimpleQueue
from typing import TextIO

import trio

log = logging.getLogger("trioweb.access")

# Lines that wait, at most: about 2 MB of usual ones, a second of a busy server's.
LINES = 10_000

# Lines taken from the queue at one go; only these are held beside it.
BATCH = 512

# Seconds between the first line of a batch and its writing.  A thread that woke for
# each line would take the interpreter from the event loop each time; nobody who reads
# a log sees a twentieth of a second.
GATHER = 0.05

# Bytes written at one go.  A pipe that is ready takes as many without blocking, and
# whole: another process's lines come before or after (POSIX, write()).
PIECE = select.PIPE_BUF

# Seconds at the end for the lines that still wait.
LAST = 1.0

# Milliseconds between two looks whether the end has come, while the stream blocks.
LOOK = 100


def lost(lines: int) -> str:
    """The line that stands for so many which were dropped."""
    return f"{lines} lines of this log were dropped: it could not be written"


@asynccontextmanager
async def writing(
    stream: TextIO | None = None, lost: Callable[[int], str] = lost
) -> AsyncIterator[Writer]:
    """A writer of lines to *stream* (standard error) while the block runs.

    Leaving it writes what waits, for at most a second.
    """
    writer = Writer(sys.stderr if stream is None else stream, lost)
    writer.start()
    try:
        yield writer
    finally:
        # In a thread that no one else can have taken: the loop may be the user's.
        with trio.CancelScope(shield=True):
            own = trio.CapacityLimiter(1)
            await trio.to_thread.run_sync(writer.stop, limiter=own)


class Writer:
    """Lines on their way to *stream*; *lost* makes the line that counts the dropped.

    *stream* may be None, as sys.stderr is in a program that has none.
    """

    def __init__(
        self, stream: TextIO | None, lost: Callable[[int], str] = lost
    ) -> None:
        self.stream = stream
        self.dropped = 0  # lines so far
        # Told of each line too, whether it is written or dropped; it must not block.
        self.copy: Callable[[str], None] | None = None
        self._untold = 0  # of them: how many no line has told of
        self._lost = lost
        self._counting = threading.Lock()
        # A number stands for lines that were dropped, None for the end.
        self._lines: SimpleQueue[str | int | None] = SimpleQueue()
        self._stopping = threading.Event()
        self._until = math.inf  # on the monotonic clock
        self._spoken = False  # of a stream that cannot be written
        self._torn = False  # the last line on the stream has no end
        # A daemon: one that hangs in a write must not keep the program from ending.
        self._thread = threading.Thread(
            target=self._run, name="trioweb log", daemon=True
        )

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def write(self, line: str) -> None:
        """Leave *line*, without its end, to be written; from any thread, at once."""
        if self.copy is not None:
            self.copy(line)
        if self._untold or self._lines.qsize() >= LINES or self._stopping.is_set():
            self._after_gap(line)
        else:
            self._lines.put(line)

    @property
    def waiting(self) -> bool:
        """Whether there are lines that nobody has begun to write."""
        return not self._lines.empty()

    def stop(self) -> None:
        """Write what waits, for at most a second, and end; it blocks for as long."""
        self._until = time.monotonic() + LAST
        self._stopping.set()
        with self._counting:
            self._tell()
        self._lines.put(None)
        # What is still there then, hangs in a system call on a disk that is gone.
        self._thread.join(LAST + 3 * LOOK / 1000)

    def _after_gap(self, line: str) -> None:
        with self._counting:
            # One long gap tells more than every other line of many.
            room = LINES // 2 if self._untold else LINES
            if self._lines.qsize() >= room or self._stopping.is_set():
                self.dropped += 1
                self._untold += 1
            else:
                self._tell()
                self._lines.put(line)

    def _tell(self) -> None:
        if self._untold:
            self._lines.put(self._untold)
            self._untold = 0

    def _run(self) -> None:
        ended = False
        while not ended:
            batch = [self._lines.get()]
            if self._lines.qsize() < BATCH:
                self._stopping.wait(GATHER)
            waiting = min(self._lines.qsize(), BATCH - 1)
            batch += [self._lines.get() for _ in range(waiting)]
            ended = None in batch
            for piece in self._pieces([each for each in batch if each is not None]):
                self._put(piece)

    def _pieces(self, batch: Sequence[str | int]) -> Iterator[list[str | int]]:
        """What of *batch* goes out together: as much as is surely written whole."""
        piece: list[str | int] = []
        room = PIECE
        for each in batch:
            size = len(self._text(each).encode(errors="replace"))
            if piece and size > room:
                yield piece
                piece, room = [], PIECE
            piece.append(each)
            room -= size
        if piece:
            yield piece

    def _text(self, each: str | int) -> str:
        return f"{self._lost(each) if isinstance(each, int) else each}\n"

    def _put(self, piece: Sequence[str | int]) -> None:
        try:
            self._put_piece("".join(map(self._text, piece)))
        except (OSError, ValueError) as error:  # ValueError: closed
            counts = [each for each in piece if isinstance(each, int)]
            lines = len(piece) - len(counts)
            with self._counting:
                self.dropped += lines
                self._untold += lines + sum(counts)
            self._speak(error)

    def _put_piece(self, text: str) -> None:
        if self.stream is None:
            raise OSError("there is no such stream")
        encoding = getattr(self.stream, "encoding", None) or "utf-8"
        data = text.encode(encoding, "backslashreplace")
        try:
            # Asked each time: the number of one that was closed may be a peer's now.
            descriptor = self.stream.fileno()
        except (AttributeError, UnsupportedOperation):  # one in memory
            self.stream.write(data.decode(encoding))
            self.stream.flush()
            return
        # Not by the stream's own write(): what is stuck there holds a lock that the
        # interpreter wants when it ends, and dies of.
        self._put_bytes(descriptor, b"\n" + data if self._torn else data)

    def _put_bytes(self, descriptor: int, data: bytes) -> None:
        ready = select.poll()
        ready.register(descriptor, select.POLLOUT)
        at = 0
        while at < len(data):
            if time.monotonic() > self._until:
                raise TimeoutError("there is no more time")
            if not ready.poll(LOOK):
                continue
            try:
                at += os.write(descriptor, data[at : at + PIECE])
            except BlockingIOError:
                continue  # another writer was faster
            self._torn = not data[:at].endswith(b"\n")

    def _speak(self, error: Exception) -> None:
        # Where nobody listens, logging itself would write to standard error, which may
        # be this very stream, and hang there with its locks held.
        if not self._spoken and log.hasHandlers() and not self._stopping.is_set():
            self._spoken = True
            log.warning("the log cannot be written, lines drop: %s", error)
