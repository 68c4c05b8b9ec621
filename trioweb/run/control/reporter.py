"""The reporter: a worker's answers to whoever looks at it, its lines and its tasks."""

from __future__ import annotations

import trio

from trioweb.run.cluster.channel import Channel
from trioweb.run.cluster.messages import (
    Follow,
    FromSupervisor,
    Left,
    Lines,
    Look,
    Looked,
)
from trioweb.run.control.tail import Tail
from trioweb.run.control.tree import grow

# Seconds between two messages with lines: as fast as anybody reads, and a bound for
# what a busy worker sends, 480 KB a second.  What comes faster is dropped and counted.
TURN = 0.1


class Reporter:
    """Answers by *channel*, while it runs; *tail* has the lines of this worker."""

    def __init__(self, channel: Channel[FromSupervisor]) -> None:
        self.tail = Tail()
        self._channel = channel
        self._following = trio.Event()
        self._tickets: list[int] = []
        self._asked = trio.lowlevel.ParkingLot()

    def obey(self, message: Follow | Look) -> None:
        """Do what one message says."""
        match message:
            case Follow(on):
                self.tail.follow(on=on)
                if on:
                    last = self.tail.last()
                    self._channel.post(Lines(last, dropped=0, recalled=True))
                    self._following.set()
                else:
                    self._following = trio.Event()
            case Look(ticket):
                self._tickets.append(ticket)
                self._asked.unpark()

    def leave(self) -> None:
        """Leave the last lines to the supervisor, for who asks when this has ended."""
        if last := self.tail.last():
            self._channel.post(Left(last))

    async def run(self, root: trio.lowlevel.Task) -> None:
        """Answer until cancelled; *root* is the task whose tree is looked at."""
        async with trio.open_nursery() as answering:
            answering.start_soon(self._look, root)
            answering.start_soon(self._send)

    async def _look(self, root: trio.lowlevel.Task) -> None:
        while True:
            while not self._tickets:
                await self._asked.park()
            # One look answers all who have asked by now.
            tickets, self._tickets = self._tickets, []
            tree = await grow(root)
            for ticket in tickets:
                self._channel.post(Looked(ticket, tree))

    async def _send(self) -> None:
        while True:
            await self._following.wait()
            # What cannot go out waits in the tail, which is bounded.
            if not self._channel.behind:
                some = self.tail.take()
                if some.lines or some.dropped:
                    self._channel.post(
                        Lines(some.lines, dropped=some.dropped, recalled=False)
                    )
            await trio.sleep(TURN)
