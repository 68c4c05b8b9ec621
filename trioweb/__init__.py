"""A web server and REST framework on Trio."""

__version__ = "0.1.0"

from trioweb.app.answers import html, json, redirect, stream, text
from trioweb.app.app import App
from trioweb.app.files import file
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
    TooLarge,
    TooManyRequests,
    Unauthorized,
    UnprocessableContent,
    UnsupportedMediaType,
)
from trioweb.message.key import Key
from trioweb.message.request import Request
from trioweb.message.response import Response
from trioweb.rules.headers import Headers
from trioweb.run.config import Config
from trioweb.run.main import run
from trioweb.run.server import open_server, serve

__all__ = [
    "App",
    "BadRequest",
    "Config",
    "Conflict",
    "Forbidden",
    "HTTPError",
    "Headers",
    "Key",
    "MethodNotAllowed",
    "NotAcceptable",
    "NotFound",
    "PeerGone",
    "Request",
    "Response",
    "ServiceUnavailable",
    "TooLarge",
    "TooManyRequests",
    "Unauthorized",
    "UnprocessableContent",
    "UnsupportedMediaType",
    "file",
    "html",
    "json",
    "open_server",
    "redirect",
    "run",
    "serve",
    "stream",
    "text",
]
