"""A web server and REST framework on Trio."""

__version__ = "0.1.0"

from trioweb.app.answers import html, json, redirect, stream, text
from trioweb.app.app import App
from trioweb.app.files import file
from trioweb.app.hosts import allowed_hosts
from trioweb.app.sessions.carried import CookieStore
from trioweb.app.sessions.csrf import check_csrf, csrf_token
from trioweb.app.sessions.layer import sessions
from trioweb.app.sessions.memory import MemoryStore
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

__all__ = [
    "App",
    "BadRequest",
    "BodyWriter",
    "Config",
    "Conflict",
    "CookieStore",
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
    "file",
    "html",
    "json",
    "open_server",
    "redirect",
    "run",
    "serve",
    "sessions",
    "stream",
    "text",
]
