"""Answers: what workers say to those who look at them, given to who has asked."""

from __future__ import annotations

import itertools
import os
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import trio

from trioweb.run.cluster.messages import Left, Lines, Looked
from trioweb.run.control.protocol import Missed, Said
from trioweb.run.control.tail import Line, Tail
from trioweb.run.control.tree import Task

# Workers that have ended whose last lines are kept: those of one reload.
LEFT = 8

# Lines that wait for one who follows; beyond it the oldest is dropped and counted.
WAITING = 2000


class Follower:
    """Somebody who wants the lines of all processes, each once."""

    def __init__(self) -> None:
        self.recalled: set[int] = set()  # the processes whose last lines have come
        self._waiting: deque[Said] = deque()
        self._missed = 0
        self._ended = False
        self._seen: dict[int, int] = {}  # the last line of each process
        self._more = trio.lowlevel.ParkingLot()

    def put(self, worker: int | None, pid: int, message: Lines) -> None:
        """Let lines wait that have not come before."""
        for line in message.lines:
            if line.number <= self._seen.get(pid, 0):
                continue
            self._seen[pid] = line.number
            self._waiting.append(Said(worker, pid, line.time, line.text))
            if len(self._waiting) > WAITING:
                self._waiting.popleft()
                self._missed += 1
        self._missed += message.dropped
        if message.recalled:
            self.recalled.add(pid)
        self._more.unpark_all()

    def past(self, lines: int) -> list[Said]:
        """Take the last *lines* that have come, in the order of time."""
        found = sorted(self._waiting, key=lambda said: said.time)
        self._waiting.clear()
        self._missed = 0
        return found[-lines:] if lines else []

    async def more(self) -> None:
        """Wait until something more has come."""
        await self._more.park()

    def end(self) -> None:
        """Nothing more will come."""
        self._ended = True
        self._more.unpark_all()

    async def next(self) -> Said | Missed | None:
        """The next line, or how many were dropped before it; None at the end."""
        while not (self._waiting or self._missed):
            if self._ended:
                return None
            await self._more.park()
        if self._missed:
            missed, self._missed = self._missed, 0
            return Missed(missed)
        return self._waiting.popleft()


class Ticket:
    """One question to some workers: the *number* it is known by, and the answers."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.trees: dict[int, Task] = {}  # by process
        self._come = trio.lowlevel.ParkingLot()

    def put(self, pid: int, tree: Task) -> None:
        """Take one answer."""
        self.trees[pid] = tree
        self._come.unpark_all()

    async def answered(self, asked: set[int]) -> None:
        """Wait until all of the processes that were *asked* have answered."""
        while not asked <= self.trees.keys():
            await self._come.park()


@dataclass(frozen=True, slots=True)
class _Left:
    """What a worker that has ended has left."""

    worker: int
    pid: int
    lines: list[Line]

    def put(self, follower: Follower) -> None:
        follower.put(self.worker, self.pid, Lines(self.lines, 0, recalled=True))


class Answers:
    """The supervisor's own lines, and all that it is told for those who look."""

    def __init__(self) -> None:
        self.followers: set[Follower] = set()
        self._numbers = itertools.count(1)
        self._tickets: dict[int, Ticket] = {}
        self._own = Tail()
        self._left: deque[_Left] = deque(maxlen=LEFT)

    def add(self, text: str) -> None:
        """Keep a line of the supervisor's own log."""
        self._own.add(text)
        for each in self.followers:
            self._recall(each)

    def take(self, worker: int, pid: int, message: Lines | Left | Looked) -> None:
        """Take what a worker has answered."""
        match message:
            case Lines():
                for each in self.followers:
                    each.put(worker, pid, message)
            case Left(lines):
                left = _Left(worker, pid, lines)
                self._left.append(left)
                for each in self.followers:
                    left.put(each)
            case Looked(ticket, tree):
                if (waiting := self._tickets.get(ticket)) is not None:
                    waiting.put(pid, tree)

    def end(self) -> None:
        """The server has ended."""
        for each in self.followers:
            each.end()

    @contextmanager
    def following(self) -> Iterator[Follower]:
        """A follower, who has the supervisor's own lines already."""
        follower = Follower()
        for left in self._left:
            left.put(follower)
        self._recall(follower)
        self.followers.add(follower)
        try:
            yield follower
        finally:
            self.followers.discard(follower)

    def _recall(self, follower: Follower) -> None:
        lines: list[Line] = self._own.last()
        follower.put(None, os.getpid(), Lines(lines, dropped=0, recalled=True))

    @contextmanager
    def awaiting(self) -> Iterator[Ticket]:
        """A ticket for one tree."""
        number = next(self._numbers)
        ticket = Ticket(number)
        self._tickets[number] = ticket
        try:
            yield ticket
        finally:
            del self._tickets[number]
