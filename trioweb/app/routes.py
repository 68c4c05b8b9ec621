"""Routes: what a route may be told, and how it is listed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict, get_args

from trioweb.message.body import BODY_LIMIT
from trioweb.message.errors import SetupError
from trioweb.message.exchange import OnDisconnect
from trioweb.message.handler import Layer

# The methods a route can answer (RFC 9110 section 9.3, RFC 5789), sorted.  CONNECT and
# TRACE are for proxies and debugging; an application that answers them is a hole.
METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")

# What stands for a handshake in the table of routes; no method can be called so where
# methods are asked for, as it is not registered.
WEBSOCKET = "WEBSOCKET"

# Seconds a handler may take to return its Response unless its route says otherwise.
# Longer than any query worth waiting for, and what nginx, in front, waits as well
# (proxy_read_timeout); without an end, one stuck database would hold every connection.
TIMEOUT = 60.0


class Options(TypedDict, total=False):
    """What every verb that registers a route takes by keyword.

    *name* is for `App.url`.  *body_limit* in bytes (1 MiB).  *timeout* in seconds until
    the Response is returned (60; None: any time).  *on_disconnect* is what becomes of
    the handler when its peer leaves ("cancel").  *session* False: no session is loaded.
    *layers* stand inside the group's.
    """

    name: str | None
    body_limit: int
    timeout: float | None
    on_disconnect: OnDisconnect
    session: bool
    layers: Sequence[Layer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The options of one route, complete and checked."""

    name: str | None = None
    body_limit: int = BODY_LIMIT
    timeout: float | None = TIMEOUT
    on_disconnect: OnDisconnect = "cancel"
    session: bool = True
    layers: Sequence[Layer] = ()

    def __post_init__(self) -> None:
        if self.body_limit < 0:
            msg = f"body_limit is a number of bytes, not {self.body_limit}"
            raise SetupError(msg)
        if self.timeout is not None and not self.timeout > 0:
            msg = f"timeout is a number of seconds or None, not {self.timeout}"
            raise SetupError(msg)
        if self.on_disconnect not in get_args(OnDisconnect):
            msg = f'on_disconnect is "cancel" or "finish", not {self.on_disconnect!r}'
            raise SetupError(msg)


@dataclass(frozen=True, slots=True)
class Route:
    """One line of the table: what is asked for, who answers, and where that was said.

    *methods* are those registered, sorted; "WEBSOCKET" for WebSockets, and empty for
    something mounted, which answers every method at and below its *pattern*.  *handler*
    is the qualified name of the function, *where* the ``file:line`` of its
    registration.
    """

    pattern: str
    methods: tuple[str, ...]
    name: str | None
    handler: str
    where: str
