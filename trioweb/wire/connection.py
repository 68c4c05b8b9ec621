"""Connection: from a transport to its protocol, and the last boundary around both."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import logging

import trio

from trioweb.message.transport import Transport
from trioweb.wire import h1
from trioweb.wire.service import Service

log = logging.getLogger("trioweb.error")

# How HTTP/2 begins (RFC 9113 section 3.4), as far as it looks like a request's head.
_PREFACE = b"PRI * HTTP/2.0\r\n\r\n"


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


@functools.cache
def protocols() -> tuple[str, ...]:
    """What is spoken here, by the names of ALPN (RFC 7301), the best first.

    HTTP/2 only where its library is installed: ``pip install trioweb[h2]``.
    """
    if importlib.util.find_spec("h2") is None:
        return ("http/1.1",)
    return ("h2", "http/1.1")


async def _answer(transport: Transport, service: Service) -> None:
    if transport.secure:
        protocol = None
        with trio.move_on_after(service.limits.handshake) as shaking_hands:
            protocol = await transport.handshake()
        if shaking_hands.cancelled_caught:
            return
    else:
        protocol = None  # in the open nothing precedes HTTP
    if protocol == "h2":
        await _answer_http2(transport, service)
        return
    # In the open there is nothing to agree by: whoever begins with the preface knows.
    known = "h2" in protocols() and not transport.secure
    connection = h1.Connection(transport, service, (_PREFACE,) if known else ())
    await connection.serve()
    if connection.ahead:
        await _answer_http2(transport, service, connection.ahead)


async def _answer_http2(
    transport: Transport, service: Service, ahead: bytes = b""
) -> None:
    # Not before: most of its cost to a start is paid by who never speaks it.
    from trioweb.wire import h2  # noqa: PLC0415

    await h2.Connection(transport, service, ahead).serve()
