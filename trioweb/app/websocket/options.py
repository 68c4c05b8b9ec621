"""Options: what a route of WebSockets may be told, and what it is told by default."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypedDict

from trioweb.app.routes import TIMEOUT, Settings
from trioweb.message.errors import SetupError
from trioweb.message.exchange import OnDisconnect
from trioweb.message.handler import Layer
from trioweb.rules.frames import FrameLimits
from trioweb.rules.handshake import ANY_ORIGIN
from trioweb.rules.headers import TOKEN
from trioweb.rules.origin import is_origin

# Seconds in which nothing comes before a peer is pinged, and in which something must
# come then: uvicorn's.  Shorter than the minute after which proxies drop a connection
# on which nothing moves.
PING = 20.0
PONG = 20.0


Conversation = Callable[..., Awaitable[None]]
"""A handler of WebSockets: the request, the WebSocket, path parameters by keyword."""


class WebSocketOptions(TypedDict, total=False):
    """What `websocket` takes by keyword.

    *origins*: pages that may open it besides those of its own host, as
    "https://www.example.com"; "*" is any.  *subprotocols* are those spoken, of which
    the peer's favourite is chosen.  *message* in bytes (1 MiB) and *fragments* (1024)
    bound one message, *pings* and *pongs* a second (20, 1000) what else comes.  *ping*:
    seconds of silence before the peer is pinged (20; None: never), *pong*: within which
    it must answer (20).  *deflate*: compress, for a peer that can.

    *name*, *session* and *layers* are as for any route.  *timeout* in seconds is until
    the handshake is answered (60); a WebSocket may last any time.  *on_disconnect* is
    what becomes of a handler that goes on after its peer has left ("cancel").
    """

    origins: Sequence[str]
    subprotocols: Sequence[str]
    message: int
    fragments: int
    pings: float
    pongs: float
    ping: float | None
    pong: float
    deflate: bool
    name: str | None
    timeout: float | None
    on_disconnect: OnDisconnect
    session: bool
    layers: Sequence[Layer]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSocketSettings:
    """The options of one route of WebSockets, complete and checked."""

    limits: FrameLimits
    route: Settings
    origins: frozenset[str] = frozenset()
    subprotocols: tuple[str, ...] = ()
    ping: float | None = PING
    pong: float = PONG
    deflate: bool = False


def settings_of(options: WebSocketOptions) -> WebSocketSettings:
    """*options*, with what is left out; SetupError for what cannot work."""
    default = FrameLimits()
    try:
        limits = FrameLimits(
            message=options.get("message", default.message),
            fragments=options.get("fragments", default.fragments),
            pings=options.get("pings", default.pings),
            pongs=options.get("pongs", default.pongs),
        )
    except ValueError as error:
        raise SetupError(str(error)) from None
    ping, pong = options.get("ping", PING), options.get("pong", PONG)
    for name, seconds in (("ping", ping), ("pong", pong)):
        if seconds is not None and not seconds > 0:
            msg = f"{name} is a number of seconds above 0, not {seconds}"
            raise SetupError(msg)
    return WebSocketSettings(
        limits=limits,
        route=Settings(
            name=options.get("name"),
            timeout=options.get("timeout", TIMEOUT),
            on_disconnect=options.get("on_disconnect", "cancel"),
            session=options.get("session", True),
            layers=options.get("layers", ()),
        ),
        origins=frozenset(_origins(options.get("origins", ()))),
        subprotocols=tuple(_subprotocols(options.get("subprotocols", ()))),
        ping=ping,
        pong=pong,
        deflate=options.get("deflate", False),
    )


def _origins(origins: Sequence[str]) -> Sequence[str]:
    if isinstance(origins, str):
        msg = f"origins={origins!r} is one str; give a list of them"
        raise SetupError(msg)
    for origin in origins:
        if origin != ANY_ORIGIN and not is_origin(origin):
            msg = f"{origin!r} is no origin; write it as https://www.example.com"
            raise SetupError(msg)
    return origins


def _subprotocols(subprotocols: Sequence[str]) -> Sequence[str]:
    if isinstance(subprotocols, str):
        msg = f"subprotocols={subprotocols!r} is one str; give a list of them"
        raise SetupError(msg)
    for each in subprotocols:
        if not TOKEN.fullmatch(each):
            msg = f"{each!r} is no subprotocol: a word of letters, digits and hyphens"
            raise SetupError(msg)
    return subprotocols
