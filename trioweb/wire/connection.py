"""Connection: from a transport to its protocol, and the last boundary around both."""

from __future__ import annotations

import contextlib
import logging

import trio

from trioweb.message.transport import Transport
from trioweb.wire import h1
from trioweb.wire.service import Service

log = logging.getLogger("trioweb.error")


async def serve(transport: Transport, service: Service) -> None:
    """Answer everything that comes on *transport*, then close it.

    The second of the two boundaries: no connection's exception reaches another.
    """
    try:
        try:
            await _answer(transport, service)
        finally:
            # Within the boundary: closing can fail too.
            with contextlib.suppress(*_LEFT):
                await trio.aclose_forcefully(transport)
    except _LEFT:
        log.debug("%s left", transport.peer)
    except Exception:  # the boundary of a connection
        log.exception("the connection with %s failed", transport.peer)


_LEFT = (trio.BrokenResourceError, trio.ClosedResourceError)


async def _answer(transport: Transport, service: Service) -> None:
    with trio.move_on_after(service.limits.handshake) as shaking_hands:
        await transport.handshake()
    if not shaking_hands.cancelled_caught:
        await h1.Connection(transport, service).serve()
