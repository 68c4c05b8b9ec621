"""Rate: how many sessions one address may begin, so that nobody fills a store alone."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict

import trio

from trioweb.message.errors import SetupError, TooManyRequests

# Addresses that are remembered; beyond that the one that has begun a session least
# recently is forgotten, and may begin as many anew.
ADDRESSES = 10_000

MINUTE = 60.0  # seconds

# What one customer of a provider has of IPv6 at least, and can choose from (RFC 6177).
_NETWORK = 64  # bits


class Rate:
    """At most *most* new sessions a minute from one address; SetupError for none.

    Whoever has begun fewer may begin as many at once as they have saved up in a minute.
    """

    def __init__(self, most: float) -> None:
        if not 0 < most < float("inf"):
            msg = f"new_per_minute is {most!r}; give a number above 0, or None"
            raise SetupError(msg)
        self._most = most
        # When each will have its whole minute's number again.
        self._full: OrderedDict[str, float] = OrderedDict()

    def admit(self, host: str) -> None:
        """Count a session that begins at *host*; TooManyRequests (429) for too many."""
        now, each = trio.current_time(), MINUTE / self._most
        key = _place(host)
        full = max(self._full.get(key, now), now) + each
        # A first one is always admitted, however few a minute may be.
        if full - now > max(MINUTE, each):
            wait = int(full - now - MINUTE) + 1
            raise TooManyRequests("too many new sessions from here", retry_after=wait)
        self._full[key] = full
        self._full.move_to_end(key)
        if len(self._full) > ADDRESSES:
            self._full.popitem(last=False)


def _place(host: str) -> str:
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host  # "unix"
    if address.version == 4:
        return host
    return str(ipaddress.ip_network((address, _NETWORK), strict=False))
