"""The tail of a log: its last lines, kept where they are made until somebody asks.

Nobody who does not ask pays for more than a deque: a line is sent to no other process
unless it is wanted there.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

# Lines that are kept: what `docker logs --tail` and a screen or two show.
KEPT = 100

# Lines that wait to be sent to who follows; beyond it the oldest is dropped.
WAITING = 2000

# Characters of one line: a traceback of 50 frames.
LONGEST = 8000

# Bytes of lines in one message, as JSON: three quarters of what a channel takes.
ROOM = 48 * 1024


class Line(msgspec.Struct, frozen=True, array_like=True):
    """A line, with its number in its process, and when it was written (epoch)."""

    number: int
    time: float
    text: str


@dataclass(slots=True)
class Some:
    """Lines in their order, and how many before them were dropped."""

    lines: list[Line] = field(default_factory=list)
    dropped: int = 0


class Tail:
    """The last lines of one process, added by any of its threads."""

    def __init__(self) -> None:
        self._kept: deque[Line] = deque(maxlen=KEPT)
        self._waiting: deque[Line] | None = None  # for who follows
        self._dropped = 0
        self._numbers = itertools.count(1)
        self._adding = threading.Lock()

    def add(self, text: str) -> None:
        """Keep one more line; it may have line ends within."""
        with self._adding:
            line = Line(next(self._numbers), time.time(), _cut(text))
            self._kept.append(line)
            if self._waiting is not None:
                if len(self._waiting) == WAITING:
                    self._waiting.popleft()
                    self._dropped += 1
                self._waiting.append(line)

    def follow(self, *, on: bool) -> None:
        """Let lines wait to be taken from now on, or no more."""
        with self._adding:
            self._waiting = deque() if on else None
            self._dropped = 0

    def last(self) -> list[Line]:
        """The lines that are kept; of many long ones the newest."""
        with self._adding:
            kept = list(self._kept)
        found = list(_fitting(reversed(kept)))
        return found[::-1]

    def take(self) -> Some:
        """The lines that have waited, as many as go into one message."""
        with self._adding:
            if not self._waiting:
                return Some()
            lines = list(_fitting(self._waiting))
            for _ in lines:
                self._waiting.popleft()
            dropped, self._dropped = self._dropped, 0
        return Some(lines, dropped)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def _fitting(lines: Iterable[Line]) -> Iterable[Line]:
    room = ROOM
    for line in lines:
        room -= len(msgspec.json.encode(line)) + 1
        if room < 0:
            return
        yield line
