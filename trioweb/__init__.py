"""A web server and REST framework on Trio."""

__version__ = "0.1.0"

from importlib import import_module
from typing import TYPE_CHECKING

from trioweb.app.answers import html, json, redirect, stream, text
from trioweb.app.app import App
from trioweb.app.events import EventStream, events
from trioweb.app.files import file
from trioweb.app.health import health, metrics
from trioweb.app.hosts import allowed_hosts
from trioweb.app.sessions.carried import CookieStore
from trioweb.app.sessions.csrf import check_csrf, csrf_token
from trioweb.app.sessions.layer import sessions
from trioweb.app.sessions.memory import MemoryStore
from trioweb.app.sessions.sqlite import SQLiteStore
from trioweb.app.websocket.messages import messages
from trioweb.message.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    HTTPError,
    MethodNotAllowed,
    NotAcceptable,
    NotFound,
    PeerGone,
    ServiceUnavailable,
    SetupError,
    TooLarge,
    TooManyRequests,
    Unauthorized,
    UnprocessableContent,
    UnsupportedMediaType,
)
from trioweb.message.handler import Handler, Layer
from trioweb.message.key import Key
from trioweb.message.request import Request
from trioweb.message.response import BodyWriter, Response, Send
from trioweb.message.session import Session
from trioweb.rules.headers import Headers
from trioweb.run.config import Config
from trioweb.run.main import run
from trioweb.run.server import open_server, serve
from trioweb.run.tls.config import TLS

if TYPE_CHECKING:
    from trioweb.app.rooms import Rooms as Rooms
    from trioweb.app.sessions.redis import RedisStore as RedisStore

__all__ = [
    "TLS",
    "App",
    "BadRequest",
    "BodyWriter",
    "Config",
    "Conflict",
    "CookieStore",
    "EventStream",
    "Forbidden",
    "HTTPError",
    "Handler",
    "Headers",
    "Key",
    "Layer",
    "MemoryStore",
    "MethodNotAllowed",
    "NotAcceptable",
    "NotFound",
    "PeerGone",
    "Request",
    "Response",
    "SQLiteStore",
    "Send",
    "ServiceUnavailable",
    "Session",
    "SetupError",
    "TooLarge",
    "TooManyRequests",
    "Unauthorized",
    "UnprocessableContent",
    "UnsupportedMediaType",
    "allowed_hosts",
    "check_csrf",
    "csrf_token",
    "events",
    "file",
    "health",
    "html",
    "json",
    "messages",
    "metrics",
    "open_server",
    "redirect",
    "run",
    "serve",
    "sessions",
    "stream",
    "text",
]

# What an extra brings is fetched when it is asked for, and is not in __all__: `import
# trioweb` neither needs it nor waits for it (coredis takes a quarter of a second).
_HOMES = {
    "RedisStore": "trioweb.app.sessions.redis",
    "Rooms": "trioweb.app.rooms",
}


if not TYPE_CHECKING:  # to a type checker, any name at all would be there

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            msg = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(msg)
        return getattr(import_module(_HOMES[name]), name)
