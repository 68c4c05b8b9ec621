"""Forwarded: whom a trusted proxy is speaking for (RFC 7239, and X-Forwarded-*).

Every proxy writes down who came to it, at the right end of the list.  So the list is
read from the right, for as long as those who wrote are trusted; what stands left of the
first who is not, anybody may have written.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from trioweb.rules.headers import Headers, parse_parameters
from trioweb.rules.target import TargetError, parse_authority

Form = Literal["x-forwarded", "forwarded"]
"""Which fields the proxies write; the other kind may come from the peer itself."""

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Hops that are followed at most: more proxies than any request passes.
HOPS = 16

# An address with or without a port: 192.0.2.1:80, [2001:db8::1]:80, 2001:db8::1.
_NODE = re.compile(
    r"(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+))(?::([0-9]{1,5}))?|([0-9A-Fa-f:.]+)"
)
_SCHEMES = {"http", "https"}


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sent a request to the first trusted proxy, as far as the proxies say.

    *host* is an address, or what the proxy is known by if it named none; *scheme* and
    *authority* are what was asked of it, None where that was not said.
    """

    host: str
    port: int | None = None
    scheme: str | None = None
    authority: str | None = None


class Proxies:
    """The proxies in front that are trusted, and the fields they write.

    *trusted* are addresses, networks ("10.0.0.0/8"), or "unix" for whoever connects to
    a Unix socket; ValueError for anything else.
    """

    def __init__(self, trusted: Iterable[str], form: Form = "x-forwarded") -> None:
        self._networks: list[_Network] = []
        self._names: set[str] = set()
        for text in trusted:
            if text in {"unix", "memory"}:
                self._names.add(text)
            else:
                self._networks.append(_network(text))
        self._form = form

    def trusts(self, host: str) -> bool:
        """Whether *host*, an address or "unix", is one of them."""
        if host in self._names:
            return True
        address = _address(host)
        return address is not None and any(address in each for each in self._networks)

    def sender(self, headers: Headers, host: str) -> Sender:
        """For whom the proxy at *host*, which is trusted, has sent *headers*."""
        hops = _forwarded(headers) if self._form == "forwarded" else _x(headers)
        found = Sender(host)
        for hop in reversed(hops[-HOPS:]):
            scheme, authority = hop.scheme, hop.authority
            # What a hop leaves out, the one nearer to us has the last word on.
            scheme, authority = scheme or found.scheme, authority or found.authority
            node = _node(hop.node)
            if node is None:
                return Sender(found.host, found.port, scheme, authority)
            found = Sender(*node, scheme, authority)
            if not self.trusts(found.host):
                break
        return found


@dataclass(frozen=True, slots=True)
class _Hop:
    node: str
    scheme: str | None
    authority: str | None


def _x(headers: Headers) -> list[_Hop]:
    nodes = _list(headers, "x-forwarded-for")
    schemes = _list(headers, "x-forwarded-proto")
    hosts = _list(headers, "x-forwarded-host")
    # A proxy that names no sender still says how it was asked.
    if not nodes and (schemes or hosts):
        nodes = [""]
    count = len(nodes)
    return [
        _Hop(
            node,
            _scheme(_nth(schemes, count - at)),
            _authority(_nth(hosts, count - at)),
        )
        for at, node in enumerate(nodes)
    ]


def _forwarded(headers: Headers) -> list[_Hop]:
    hops = []
    for element in _list(headers, "forwarded"):
        _, said = parse_parameters(f";{element}")
        hops.append(
            _Hop(
                said.get("for", ""),
                _scheme(said.get("proto")),
                _authority(said.get("host")),
            )
        )
    return hops


def _list(headers: Headers, name: str) -> list[str]:
    # Not `parse_list`: a quote that the peer has left open would swallow what the proxy
    # has added.  None of the values that count here has a comma.
    parts = headers.get(name, "").split(",")
    return [part.strip(" \t") for part in parts if part.strip(" \t")]


def _nth(values: Sequence[str], from_right: int) -> str | None:
    """The value of a hop; the first one, where there are fewer values than hops."""
    return values[max(0, len(values) - from_right)] if values else None


def _scheme(text: str | None) -> str | None:
    lower = (text or "").lower()
    return lower if lower in _SCHEMES else None


def _authority(text: str | None) -> str | None:
    try:
        parse_authority(text or "")
    except TargetError:
        return None
    return text


def _node(text: str) -> tuple[str, int | None] | None:
    match = _NODE.fullmatch(text)
    if match is None:
        return None  # "unknown", "_hidden", or nothing
    bracketed, dotted, port, bare = match.groups()
    address = _address(bracketed or dotted or bare)
    if address is None or int(port or 0) > 0xFFFF:
        return None
    return str(address), int(port) if port else None


def _address(text: str) -> _Address | None:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    # A socket for both families says ::ffff:192.0.2.1 for 192.0.2.1.
    return getattr(address, "ipv4_mapped", None) or address


def _network(text: str) -> _Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        msg = (
            f"{text!r} is no trusted proxy: {error}; give an address, a network as "
            '"10.0.0.0/8", or "unix"'
        )
        raise ValueError(msg) from error
