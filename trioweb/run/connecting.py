"""Connecting: what makes a transport of an accepted socket on this system."""

from __future__ import annotations

import select
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Protocol

import trio

from trioweb.message.transport import Transport
from trioweb.run import sockets
from trioweb.run.tls.certificates import Certificates
from trioweb.run.tls.streams import StreamTLS

if TYPE_CHECKING:
    from trioweb.run.hub import Hub


class Connect(Protocol):
    """Makes a transport of what ``accept()`` returned; with certificates, over TLS."""

    def __call__(
        self,
        sock: socket.socket,
        address: object,
        certificates: Certificates | None = None,
        /,
    ) -> Transport:
        """The transport of a connected socket, from its peer's address."""


@asynccontextmanager
async def connecting() -> AsyncIterator[Connect]:
    """How sockets become transports while the block runs: by a hub, where there is one.

    Transports must be closed before the block is left.
    """
    if not hasattr(select, "epoll"):
        yield _portably
        return
    # Only where there is epoll.
    from trioweb.run.hub import Hub  # noqa: PLC0415
    from trioweb.run.tls import hub as tls  # noqa: PLC0415

    hub = Hub()

    def connect(
        sock: socket.socket,
        address: object,
        certificates: Certificates | None = None,
        /,
    ) -> Transport:
        if certificates is None:
            return hub.accepted(sock, address)
        return tls.accepted(sock, address, hub=hub, certificates=certificates)

    over = trio.CancelScope(shield=True)
    async with trio.open_nursery() as hubs:
        hubs.start_soon(_run, hub, over)
        try:
            yield connect
        finally:
            # Not before, whatever is cancelled: some may be shielded, and wait for it.
            over.cancel(reason="the server has stopped")


def _portably(
    sock: socket.socket, address: object, certificates: Certificates | None = None, /
) -> Transport:
    plain = sockets.accepted(sock, address)
    return plain if certificates is None else StreamTLS(plain, certificates)


async def _run(hub: Hub, over: trio.CancelScope) -> None:
    with over:
        await hub.run()
