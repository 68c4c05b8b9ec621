"""Hosts: a layer that answers only for the names this server has (RFC 9110 7.4)."""

from __future__ import annotations

from dataclasses import dataclass

from trioweb.app.place import place
from trioweb.message.errors import HTTPError, SetupError
from trioweb.message.handler import Handler, Layer
from trioweb.message.request import Request
from trioweb.message.response import Response
from trioweb.rules.target import TargetError, parse_authority

_BELOW = "*."


def allowed_hosts(*hosts: str) -> Layer:
    """A layer that answers 421 where the peer asks for another host than *hosts*.

    ``app.use(allowed_hosts("example.com", "*.example.com"))``: a name is that host on
    any port, with a port on that one; ``*.`` stands for every name below.  So no link
    or cache can be poisoned by a Host that a peer made up.  SetupError for what is no
    host.
    """
    where = place()
    if not hosts:
        msg = f"{where}: allowed_hosts() allows nobody in; name the hosts you serve"
        raise SetupError(msg)
    allowed = [_allowed(host, where) for host in hosts]

    async def layer(request: Request, handler: Handler) -> Response:
        if not _served(request.authority, allowed):
            raise HTTPError(421, "this host is not served here")
        return await handler(request)

    return layer


@dataclass(frozen=True, slots=True)
class _Allowed:
    host: str
    port: int | None  # None: any
    below: bool  # the names below it instead

    def includes(self, host: str, port: int | None) -> bool:
        if self.port is not None and self.port != port:
            return False
        # The dot belongs to it: evilexample.com does not lie below example.com.
        return host.endswith("." + self.host) if self.below else host == self.host


def _allowed(text: str, where: str) -> _Allowed:
    below = text.startswith(_BELOW)
    name = text.removeprefix(_BELOW)
    try:
        host, port = parse_authority(name)
    except TargetError as error:
        msg = f"{where}: the allowed host {text!r} is none: {error}"
        raise SetupError(msg) from None
    if "*" in host:
        msg = f'{where}: in the allowed host {text!r} a "*." stands only at the start'
        raise SetupError(msg)
    return _Allowed(host, port, below)


def _served(authority: str, allowed: list[_Allowed]) -> bool:
    try:
        host, port = parse_authority(authority)
    except TargetError:
        return False  # HTTP/1.0 may name none
    return any(each.includes(host, port) for each in allowed)
