"""An open RedisStore for a test, and keys to keep sessions under."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from trioweb.app.sessions.redis import RedisStore
from trioweb.app.sessions.store import Lifetime
from trioweb.message.site import Site

LONG = Lifetime(1800, 43200)
SITE = Site(workers=1, worker=0, directory=Path())


def key(number: int) -> bytes:
    return hashlib.sha256(b"%d" % number).digest()


KEY, OTHER = key(0), key(1)


@asynccontextmanager
async def opened(
    url: str, prefix: str = "trioweb", lifetime: Lifetime = LONG
) -> AsyncIterator[RedisStore]:
    """A store at *url* that is open while the block runs."""
    store = RedisStore(url, prefix=prefix)
    async with store.open(SITE, lifetime):
        yield store
