"""What the tests of the SQLite store share: a store that is open, and its file."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from trioweb.app.sessions.sqlite import SQLiteStore
from trioweb.app.sessions.store import Lifetime
from trioweb.message.site import Site

LIFETIME = Lifetime(1800, 43200)
KEY = b"k" * 32


@asynccontextmanager
async def opened(
    path: Path, lifetime: Lifetime = LIFETIME, store: SQLiteStore | None = None
) -> AsyncIterator[SQLiteStore]:
    store = store or SQLiteStore(path)
    async with store.open(Site(2, 0, path.parent), lifetime):
        yield store


@contextmanager
def beside(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection of somebody else to the file."""
    db = sqlite3.connect(path, isolation_level=None)
    try:
        yield db
    finally:
        db.close()


async def fields(store: SQLiteStore, key: bytes = KEY) -> dict[str, bytes] | None:
    record = await store.load(key)
    return None if record is None else dict(record.fields)
