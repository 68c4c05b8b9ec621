"""Testing an application: a client in memory, and the pytest plugin."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trioweb.testing.event_parser import Event
    from trioweb.testing.events import EventSource
    from trioweb.testing.in_memory import client
    from trioweb.testing.peer import BadResponse, RawPeer, RawResponse
    from trioweb.testing.transport import MemoryTransport, memory_pair
    from trioweb.testing.websocket import (
        WebSocketClosed,
        WebSocketPeer,
        WebSocketRefused,
    )

__all__ = [
    "BadResponse",
    "Event",
    "EventSource",
    "MemoryTransport",
    "RawPeer",
    "RawResponse",
    "WebSocketClosed",
    "WebSocketPeer",
    "WebSocketRefused",
    "client",
    "memory_pair",
]

_HOMES = {
    "BadResponse": "trioweb.testing.peer",
    "Event": "trioweb.testing.event_parser",
    "EventSource": "trioweb.testing.events",
    "MemoryTransport": "trioweb.testing.transport",
    "RawPeer": "trioweb.testing.peer",
    "RawResponse": "trioweb.testing.peer",
    "WebSocketClosed": "trioweb.testing.websocket",
    "WebSocketPeer": "trioweb.testing.websocket",
    "WebSocketRefused": "trioweb.testing.websocket",
    "client": "trioweb.testing.in_memory",
    "memory_pair": "trioweb.testing.transport",
}


if not TYPE_CHECKING:  # to a type checker, any name at all would be there
    # Names are fetched when they are asked for: the pytest plugin lives in this package
    # and is imported by every run of pytest where trioweb is installed, also where
    # nobody asks for it.
    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            msg = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(msg)
        return getattr(import_module(_HOMES[name]), name)
