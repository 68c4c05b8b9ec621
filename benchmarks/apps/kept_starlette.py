"""The work of the comparison of sessions, by Starlette's signed cookie."""

from __future__ import annotations

import secrets
from importlib import import_module
from typing import Any

# Not by import statements: it is not installed where types are checked.
_routing: Any = import_module("starlette.routing")
_sessions: Any = import_module("starlette.middleware.sessions")
_applications: Any = import_module("starlette.applications")
_middleware: Any = import_module("starlette.middleware")
_answer: Any = import_module("starlette.responses").PlainTextResponse


async def none(request: Any) -> Any:  # noqa: ANN401
    """Ask no session."""
    return _answer("known")


async def load(request: Any) -> Any:  # noqa: ANN401
    """Look into the session."""
    return _answer("known" if request.session.get("visits") else "unknown")


async def save(request: Any) -> Any:  # noqa: ANN401
    """Look into the session, and write to it."""
    visits = request.session.get("visits", 0)
    request.session["visits"] = visits + 1
    return _answer("known" if visits else "unknown")


_KEEPING = _middleware.Middleware(
    _sessions.SessionMiddleware, secret_key=secrets.token_urlsafe()
)

app = _applications.Starlette(
    routes=[
        _routing.Route("/none", none),
        _routing.Route("/load", load, middleware=[_KEEPING]),
        _routing.Route("/save", save, middleware=[_KEEPING]),
    ]
)
