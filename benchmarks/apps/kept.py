"""The work of the comparison of sessions, by trioweb.

KEPT_IN says in which store; KEPT_AT where that is: a URL of Redis, a file of SQLite.
"""

from __future__ import annotations

import os
import secrets
from typing import Any

from trioweb import App, CookieStore, MemoryStore, RedisStore, Request, sessions
from trioweb.app.sessions.sqlite import SQLiteStore


async def none(request: Request) -> str:
    """Ask no session."""
    return "known"


async def load(request: Request) -> str:
    """Look into the session."""
    return "known" if request.session.get("visits") else "unknown"


async def save(request: Request) -> str:
    """Look into the session, and write to it."""
    visits: Any = request.session.get("visits", 0)
    request.session["visits"] = visits + 1
    return "known" if visits else "unknown"


async def visits(request: Request) -> str:
    """How often this visitor has been here."""
    return str(request.session.get("visits", 0))


def _store() -> MemoryStore | SQLiteStore | RedisStore | CookieStore:
    match os.environ["KEPT_IN"]:
        case "sqlite":
            return SQLiteStore(os.environ["KEPT_AT"])
        case "redis":
            return RedisStore(os.environ["KEPT_AT"])
        case "cookie":
            return CookieStore([secrets.token_bytes(32)])
    return MemoryStore()


app = App()
app.get("/none")(none)
kept = app.group("", layers=[sessions(_store())])
kept.get("/load")(load)
kept.get("/save")(save)
kept.get("/visits")(visits)
