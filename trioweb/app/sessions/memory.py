"""MemoryStore: sessions in this process, bounded in number and in bytes."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import trio

from trioweb.app.sessions.store import Changes, Lifetime, Outcome, Record
from trioweb.message.errors import SetupError
from trioweb.message.fields import SESSION_LIMIT, Fields, size
from trioweb.message.site import Site

log = logging.getLogger(__name__)

# Sessions kept at once.  Ten thousand people on one process are more than it serves;
# express-session keeps any number, and says itself that it leaks.
SESSIONS = 10_000

# Bytes they may take together.
BYTES = 64 * 1024 * 1024

# Bytes that a record takes besides its fields: measured, two small fields in it.
OVERHEAD = 900

_TOO_MANY = (
    "the app has %d workers, and each would keep its own sessions: a visitor would be "
    "another one with every connection; leave store= out (SQLite is used then), or say "
    "MemoryStore(per_worker=True) where that is wanted"
)


@dataclass(slots=True)
class _Kept:
    """A record in memory; times are the event loop's."""

    fields: Fields
    user: str | None
    born: float
    seen: float
    size: int  # of the fields, bytes

    @property
    def taken(self) -> int:
        """The bytes it takes in all."""
        return OVERHEAD + self.size + len(self.user or "")


_Shelf = OrderedDict[bytes, _Kept]


class MemoryStore:
    """Sessions in this process: the fastest store, gone when the process is.

    At most *sessions* of them, with *size* bytes in all: beyond that the one that was
    used least recently ends (`evicted` counts them), first of those in which nobody is
    signed in, which anybody can make, down to a tenth of all.  An application with
    several workers needs another store, unless *per_worker*: where a balancer in front
    always leads a visitor to the same worker.
    """

    limit: float | None = None  # it never waits

    def __init__(
        self,
        *,
        sessions: int = SESSIONS,
        size: int = BYTES,
        per_worker: bool = False,
    ) -> None:
        if sessions < 1 or size < OVERHEAD + SESSION_LIMIT:
            msg = (
                f"MemoryStore(sessions={sessions}, size={size}) has no room for one "
                f"session; give at least 1 and {OVERHEAD + SESSION_LIMIT} bytes"
            )
            raise SetupError(msg)
        self.evicted = 0
        self._sessions = sessions
        self._size = size
        self._per_worker = per_worker
        self._taken = 0
        # In the order in which they were used: the front is the next to go.
        self._visitors: _Shelf = OrderedDict()  # in these nobody is signed in
        self._members: _Shelf = OrderedDict()
        self._of_user: dict[str, set[bytes]] = {}
        self._lifetime: Lifetime | None = None
        self._first = trio.Event()  # set when there is something to sweep

    def __len__(self) -> int:
        return len(self._visitors) + len(self._members)

    @asynccontextmanager
    async def open(self, site: Site, lifetime: Lifetime) -> AsyncIterator[None]:
        """Forget what has expired while the block runs; everything at its end."""
        if site.workers > 1 and not self._per_worker:
            raise SetupError(_TOO_MANY % site.workers)
        if self._lifetime is not None:
            msg = "this MemoryStore is in use by another sessions(); give each its own"
            raise SetupError(msg)
        self._lifetime = lifetime
        try:
            async with trio.open_nursery() as sweeping:
                sweeping.start_soon(self._sweep, lifetime.idle)
                yield
                sweeping.cancel_scope.cancel(reason="the server has stopped")
        finally:
            self._lifetime = None
            self._visitors.clear()
            self._members.clear()
            self._of_user.clear()
            self._taken = 0

    async def load(self, key: bytes) -> Record | None:
        """The record of *key*; None if there is none, or it has expired."""
        now = trio.current_time()
        kept = self._alive(key, now)
        if kept is None:
            return None
        return Record(kept.fields, kept.user, now - kept.born, now - kept.seen)

    async def create(self, key: bytes, fields: Fields, user: str | None) -> None:
        """Make a record under *key*, which is new."""
        now = trio.current_time()
        self._put(key, _Kept(fields, user, born=now, seen=now, size=size(fields)))

    async def save(self, key: bytes, changes: Changes) -> Outcome:
        """Write the fields of *changes* and no others, all or none; and touch it."""
        now = trio.current_time()
        kept = self._alive(key, now)
        if kept is None:
            return Outcome.GONE
        return self._write(key, kept, changes, now)

    async def replace(
        self, key: bytes, field: str, expected: bytes | None, new: bytes
    ) -> Outcome:
        """Write *new* into *field* if it still holds *expected* (None: is absent)."""
        now = trio.current_time()
        kept = self._alive(key, now)
        if kept is None:
            return Outcome.GONE
        if kept.fields.get(field) != expected:
            return Outcome.CHANGED
        return self._write(key, kept, {field: new}, now)

    async def touch(self, key: bytes) -> None:
        """Begin the idle time anew."""
        now = trio.current_time()
        if (kept := self._alive(key, now)) is not None:
            self._use(key, kept, now)

    async def rotate(
        self, key: bytes, new: bytes, changes: Changes, user: str | None
    ) -> Outcome:
        """Write *changes* and move the record from *key* to *new*, in one step."""
        now = trio.current_time()
        kept = self._alive(key, now)
        if kept is None:
            return Outcome.GONE
        fields = changed(kept.fields, changes)
        if (total := size(fields)) > SESSION_LIMIT:
            return Outcome.FULL
        self._drop(key)
        born = kept.born if user == kept.user else now
        self._put(new, _Kept(fields, user, born=born, seen=now, size=total))
        return Outcome.SAVED

    async def delete(self, key: bytes) -> None:
        """End the session *key*; nothing if there is none."""
        self._drop(key)

    async def keys(self, user: str) -> list[bytes]:
        """The keys of the sessions that *user* has."""
        return list(self._of_user.get(user, ()))

    async def delete_all(self, user: str, but: bytes | None = None) -> None:
        """End every session of *user*, except the one under the key *but*."""
        for key in self._of_user.get(user, set()) - {but}:
            self._drop(key)

    def _shelf(self, kept: _Kept) -> _Shelf:
        return self._visitors if kept.user is None else self._members

    def _alive(self, key: bytes, now: float) -> _Kept | None:
        lifetime = self._lifetime
        if lifetime is None:
            msg = "the MemoryStore is not open; serve the App that has sessions()"
            raise SetupError(msg)
        kept = self._members.get(key) or self._visitors.get(key)
        if kept is None:
            return None
        if now < kept.seen + lifetime.idle and now < kept.born + lifetime.absolute:
            return kept
        self._drop(key)
        return None

    def _write(self, key: bytes, kept: _Kept, changes: Changes, now: float) -> Outcome:
        # Another mapping: whoever has loaded the old one still reads it.
        fields = changed(kept.fields, changes)
        if (total := size(fields)) > SESSION_LIMIT:
            return Outcome.FULL
        self._taken += total - kept.size
        kept.fields, kept.size = fields, total
        self._use(key, kept, now)
        self._make_room()
        return Outcome.SAVED

    def _use(self, key: bytes, kept: _Kept, now: float) -> None:
        kept.seen = now
        self._shelf(kept).move_to_end(key)

    def _put(self, key: bytes, kept: _Kept) -> None:
        self._shelf(kept)[key] = kept
        self._taken += kept.taken
        if kept.user is not None:
            self._of_user.setdefault(kept.user, set()).add(key)
        self._make_room()
        self._first.set()

    def _make_room(self) -> None:
        while len(self) > self._sessions or self._taken > self._size:
            many = len(self._visitors) > max(1, self._sessions // 10)
            shelf = self._visitors if many or not self._members else self._members
            self._drop(next(iter(shelf)))
            self.evicted += 1
            if self.evicted == 1:
                log.warning("MemoryStore is full: the sessions used least end early")

    def _drop(self, key: bytes) -> None:
        kept = self._members.pop(key, None) or self._visitors.pop(key, None)
        if kept is None:
            return
        self._taken -= kept.taken
        if kept.user is not None:
            keys = self._of_user[kept.user]
            keys.discard(key)
            if not keys:
                del self._of_user[kept.user]

    async def _sweep(self, idle: float) -> None:
        while True:
            if not len(self):
                self._first = trio.Event()
                await self._first.wait()
            # The front was used least recently, so it is the first to expire.
            fronts = [
                next(iter(shelf.items()))
                for shelf in (self._visitors, self._members)
                if shelf
            ]
            key, kept = min(fronts, key=lambda front: front[1].seen)
            if trio.current_time() < kept.seen + idle:
                await trio.sleep_until(kept.seen + idle)
            else:
                self._drop(key)
                await trio.lowlevel.checkpoint()


def changed(fields: Fields, changes: Changes) -> Fields:
    """*fields* with *changes* made to them."""
    both = {**fields}
    for name, value in changes.items():
        if value is None:
            both.pop(name, None)
        else:
            both[name] = value
    return both
