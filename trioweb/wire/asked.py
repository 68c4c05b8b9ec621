"""Asked: the Request that a head and a connection make."""

from __future__ import annotations

from trioweb.message.exchange import Exchange
from trioweb.message.request import Request
from trioweb.message.transport import Peer, Transport
from trioweb.rules.forwarded import Proxies, Sender
from trioweb.rules.headers import Headers
from trioweb.rules.pseudo import Head2
from trioweb.wire.gate import Head
from trioweb.wire.tunnel import offered


def request_of(
    head: Head,
    exchange: Exchange,
    transport: Transport,
    proxies: Proxies | None = None,
) -> Request:
    """The request that *head* says, as it came on *transport*.

    Where one of *proxies* has sent it, its peer, scheme and authority are those of the
    peer that the proxy speaks for.
    """
    request = _made(head, exchange, transport, proxies)
    if not head.minor:
        request.version = "1.0"
    elif head.upgrade:
        request.upgrade = offered(request.headers)
    return request


def request_on_stream(
    head: Head2,
    exchange: Exchange,
    transport: Transport,
    proxies: Proxies | None = None,
) -> Request:
    """The same of a head of HTTP/2, which makes the same request.

    An extended CONNECT (RFC 8441) is what HTTP/1.1 says by GET and Upgrade.
    """
    request = _made(head, exchange, transport, proxies)
    request.version = "2"
    if head.protocol is not None:
        request.method = "GET"
        request.upgrade = head.protocol.lower()
    return request


def _made(
    head: Head | Head2,
    exchange: Exchange,
    transport: Transport,
    proxies: Proxies | None,
) -> Request:
    request = Request(
        head.method,
        head.target,
        Headers.from_wire(head.fields),
        exchange,
        peer=transport.peer,
        scheme="https" if transport.secure else "http",
    )
    if proxies is not None and proxies.trusts(transport.peer.host):
        _pass_on(request, proxies.sender(request.headers, transport.peer.host))
    return request


def _pass_on(request: Request, sender: Sender) -> None:
    request.peer = Peer(sender.host, sender.port)
    if sender.scheme is not None:
        request.scheme = sender.scheme
    if sender.authority is not None:
        request.authority = sender.authority
