"""Patience: how long a store is waited for, and what is said when it fails."""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from typing import TypeVar

import trio

from trioweb.app.sessions.store import Store, StoreError

T = TypeVar("T")

log = logging.getLogger(__name__)

# Seconds between two lines about a store that fails: each request would write one.
QUIET = 10.0

_told: trio.lowlevel.RunVar[float] = trio.lowlevel.RunVar("trioweb_store_told")
_failures: trio.lowlevel.RunVar[int] = trio.lowlevel.RunVar("trioweb_store_failures", 0)


def failures() -> int:
    """How many questions to stores have failed, or taken too long, in this process."""
    return _failures.get()


async def within(store: Store, asked: Awaitable[T]) -> T:
    """What *asked* of *store* comes to; StoreError when it takes longer than it may."""
    try:
        if store.limit is None:
            return await asked
        with trio.move_on_after(store.limit):
            return await asked
    except StoreError as error:
        _tell(error.reason)
        raise
    reason = f"the store took longer than {store.limit} s"
    _tell(reason)
    raise StoreError(reason)


def _tell(reason: str) -> None:
    _failures.set(_failures.get() + 1)
    now = trio.current_time()
    if now >= _told.get(now - QUIET) + QUIET:
        _told.set(now)
        log.error("no sessions: %s (said once in %d s)", reason, QUIET)
