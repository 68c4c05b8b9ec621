"""Asked: the Request that a head and a connection make."""

from __future__ import annotations

from trioweb.message.exchange import Exchange
from trioweb.message.request import Request
from trioweb.message.transport import Transport
from trioweb.rules.headers import Headers
from trioweb.wire.gate import Head


def request_of(head: Head, exchange: Exchange, transport: Transport) -> Request:
    """The request that *head* says, as it came on *transport*."""
    return Request(
        head.method,
        head.target,
        Headers.from_wire(head.fields),
        exchange,
        peer=transport.peer,
        scheme="https" if transport.secure else "http",
        version=f"1.{head.minor}",
    )
