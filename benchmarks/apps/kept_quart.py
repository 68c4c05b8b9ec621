"""The work of the comparison of sessions, by Quart's signed cookie."""

from __future__ import annotations

import secrets
from importlib import import_module
from typing import Any

# Not by import statements: it is not installed where types are checked.
_quart: Any = import_module("quart")

# Quart asks for a session with every request; without a key there is none to be had.
_without = _quart.Quart("without")
_keeping = _quart.Quart("keeping")
_keeping.secret_key = secrets.token_urlsafe()


async def none() -> str:
    """Ask no session."""
    return "known"


async def load() -> str:
    """Look into the session."""
    return "known" if _quart.session.get("visits") else "unknown"


async def save() -> str:
    """Look into the session, and write to it."""
    visits = _quart.session.get("visits", 0)
    _quart.session["visits"] = visits + 1
    return "known" if visits else "unknown"


_without.add_url_rule("/none", view_func=none)
_keeping.add_url_rule("/load", view_func=load)
_keeping.add_url_rule("/save", view_func=save)


async def app(scope: dict[str, Any], receive: object, send: object) -> None:
    """Answer one request."""
    chosen = _without if scope.get("path") == "/none" else _keeping
    await chosen(scope, receive, send)
