"""Accepting: connections from one listening socket, for as long as the server runs."""

from __future__ import annotations

import errno
import logging
import socket
from collections.abc import Callable

import trio

log = logging.getLogger("trioweb.error")

# Connections taken at one go before others get their turn.
BATCH = 64

# Seconds to wait when the system has run out of descriptors or memory: asking again at
# once would fail again, and spin.
EXHAUSTED_PAUSE = 0.1

_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


Take = Callable[[socket.socket, object], None]
"""Takes what ``accept()`` returned: a socket and its peer's address."""


async def accept(listening: socket.socket, take: Take) -> None:
    """Give every connection that comes to *take*, until cancelled.

    It waits for nothing else: a slow peer never keeps the next one from being accepted.
    """
    while True:
        await trio.lowlevel.wait_readable(listening)
        try:
            accept_waiting(listening, take, BATCH)
        except OSError as error:
            if error.errno not in _EXHAUSTED:
                raise
            log.warning("no new connections for a moment: %s", error.strerror)
            await trio.sleep(EXHAUSTED_PAUSE)


def accept_waiting(listening: socket.socket, take: Take, most: int) -> None:
    """Give at most *most* of the connections that are waiting to *take*.

    Raises OSError when the system has run out of something.
    """
    for _ in range(most):
        try:
            connection, address = listening.accept()
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno in _EXHAUSTED:
                raise
            continue  # this one was gone before it was taken (accept(2))
        take(connection, address)
