"""Connecting: what makes a transport of an accepted socket on this system."""

from __future__ import annotations

import select
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import trio

from trioweb.message.transport import Transport
from trioweb.run import sockets

Connect = Callable[[socket.socket, object], Transport]
"""Takes what ``accept()`` returned: a socket and its peer's address."""


@asynccontextmanager
async def connecting() -> AsyncIterator[Connect]:
    """How sockets become transports while the block runs: by a hub, where there is one.

    Transports must be closed before the block is left.
    """
    if not hasattr(select, "epoll"):
        yield sockets.accepted
        return
    from trioweb.run.hub import Hub  # noqa: PLC0415  # only where there is epoll

    hub = Hub()
    async with trio.open_nursery() as hubs:
        hubs.start_soon(hub.run)
        yield hub.accepted
        hubs.cancel_scope.cancel(reason="the server has stopped")
