"""Connecting: what makes a transport of an accepted socket on this system."""

from __future__ import annotations

import select
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import trio

from trioweb.message.transport import Transport
from trioweb.run import sockets

if TYPE_CHECKING:
    from trioweb.run.hub import Hub

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
    over = trio.CancelScope(shield=True)
    async with trio.open_nursery() as hubs:
        hubs.start_soon(_run, hub, over)
        try:
            yield hub.accepted
        finally:
            # Not before, whatever is cancelled: some may be shielded, and wait for it.
            over.cancel(reason="the server has stopped")


async def _run(hub: Hub, over: trio.CancelScope) -> None:
    with over:
        await hub.run()
