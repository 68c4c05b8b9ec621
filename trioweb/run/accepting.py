"""Accepting: connections from one listening socket, for as long as the server runs."""

from __future__ import annotations

import errno
import logging
import math
import socket
from collections.abc import Callable

import trio

from trioweb.run.room import Room

log = logging.getLogger("trioweb.error")

# Connections taken at one go before others get their turn.  Each costs about a third of
# a millisecond until it has its first answer: whoever is being served already waits for
# three milliseconds of a crowd that has just come.
BATCH = 8

# Connections looked at besides: one whose peer has left already is closed at once,
# which costs a tenth.
LOOKS = 8 * BATCH

# Seconds between two lines that say the same: a flood must not fill the log too.
QUIET = 10.0

_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


Take = Callable[[socket.socket, object], None]
"""Takes what ``accept()`` returned: a socket and its peer's address."""


async def accept(listening: socket.socket, take: Take, room: Room) -> None:
    """Give every connection that comes to *take*, until cancelled.

    It waits for nothing else: a slow peer never keeps the next one from being accepted.
    Where there is no room, the one that has been idle longest goes; where none is idle,
    those who come wait in the system's queue until somebody leaves.
    """
    told = -math.inf
    while True:
        await trio.lowlevel.wait_readable(listening)
        await room.wait()
        try:
            accept_waiting(listening, take, min(BATCH, room.free))
        except OSError as error:
            if error.errno not in _EXHAUSTED:
                raise
            if trio.current_time() - told >= QUIET:
                told = trio.current_time()
                log.warning("no new connections for a moment: %s", error.strerror)
            # Asking again at once would fail again, and spin.
            await room.make()


def accept_waiting(listening: socket.socket, take: Take, most: int) -> None:
    """Give at most *most* of the connections that are waiting to *take*.

    Raises OSError when the system has run out of something.
    """
    taken = 0
    for _ in range(most + LOOKS):
        if taken == most:
            return
        try:
            connection, address = listening.accept()
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno in _EXHAUSTED:
                raise
            continue  # this one was gone before it was taken (accept(2))
        if _has_left(connection):
            connection.close()
            continue
        taken += 1
        try:
            take(connection, address)
        except OSError as error:
            # The system has no place left to hear of it (epoll_ctl(2): ENOSPC).
            log.warning("a connection could not be served: %s", error.strerror)
            connection.close()


def _has_left(connection: socket.socket) -> bool:
    """Whether its peer has closed it, and said nothing before."""
    try:
        return not connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError:
        return True
