"""Doors: the listening sockets that a server accepts from, opened and shut singly."""

from __future__ import annotations

from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager, suppress

import trio

from trioweb.run.accepting import Take, accept, accept_waiting
from trioweb.run.listeners import BACKLOG, Listener
from trioweb.run.room import Room


class Doors:
    """The listeners there are, each with its task; *key* is what it is known by.

    What comes in is given to *take*, and by a plain listener to *plain*.
    """

    def __init__(
        self, take: Take, room: Room, accepting: trio.Nursery, plain: Take | None
    ) -> None:
        self._take = take
        self._plain = take if plain is None else plain
        self._room = room
        self._accepting = accepting
        self._doors: dict[Hashable, list[_Door]] = {}

    def open(self, key: Hashable, listener: Listener) -> None:
        """Accept from *listener*, which belongs to the doors from now on."""
        door = _Door(listener)
        self._doors.setdefault(key, []).append(door)
        self._accepting.start_soon(self._accept, door)

    def shut(self, key: Hashable) -> None:
        """Accept no more from the listeners known by *key*.

        Who waits there is left to those who have the same sockets.
        """
        for door in self._doors.pop(key, []):
            # Closed by its task: nobody must be waiting for a socket that is closed.
            door.shut = True
            door.scope.cancel(reason="somebody else accepts from it")

    def shut_all(self) -> None:
        """Accept no more from any."""
        for key in list(self._doors):
            self.shut(key)

    def forget(self) -> None:
        """Let go of the sockets, in a process that was forked and has no loop.

        It would keep the port, and whoever connects, after the server has ended.
        """
        for doors in self._doors.values():
            for door in doors:
                door.listener.socket.close()

    def close(self) -> None:
        """Stop listening; whoever waits is reset."""
        for doors in self._doors.values():
            for door in doors:
                door.listener.close()

    async def _accept(self, door: _Door) -> None:
        try:
            with door.scope:
                await accept(
                    door.listener.socket, self._taker(door.listener), self._room
                )
        finally:
            if door.shut:
                door.listener.close()

    def _taker(self, listener: Listener) -> Take:
        return self._plain if listener.plain else self._take

    def take_waiting(self) -> None:
        """Serve who has connected already: closing the socket would reset them."""
        for doors in self._doors.values():
            for door in doors:
                with suppress(OSError):
                    accept_waiting(
                        door.listener.socket, self._taker(door.listener), BACKLOG
                    )


class _Door:
    __slots__ = ("listener", "scope", "shut")

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.scope = trio.CancelScope()
        self.shut = False


@asynccontextmanager
async def doors(
    take: Take, room: Room, plain: Take | None = None
) -> AsyncIterator[Doors]:
    """Doors that what comes in by is given to *take*, while there is *room*.

    *plain*, if given, takes what comes in by plain listeners.

    Leaving the block takes who has connected by then, and refuses at once who comes
    later: waiting for what is ending would be in vain.
    """
    opened: Doors | None = None
    try:
        async with trio.open_nursery() as accepting:
            opened = Doors(take, room, accepting, plain)
            yield opened
            accepting.cancel_scope.cancel(reason="the server stops")
        opened.take_waiting()
    finally:
        # Only now, when no task waits for them any more.
        if opened is not None:
            opened.close()
