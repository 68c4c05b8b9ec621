"""SQLiteStore: sessions in a file, which every process of this machine can share."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import trio

from trioweb.app.sessions.sqlite_clock import Clock, Wall
from trioweb.app.sessions.sqlite_database import Database
from trioweb.app.sessions.sqlite_rows import Absent, Rows, T
from trioweb.app.sessions.sqlite_upkeep import checkpoint, sweep
from trioweb.app.sessions.sqlite_writer import Write, Writer
from trioweb.app.sessions.store import LIMIT, Changes, Lifetime, Outcome, Record
from trioweb.message.errors import SetupError
from trioweb.message.fields import Fields
from trioweb.message.site import Site

# Seconds that the server's end waits for the file to be left in order.
_LEAVING = 5.0


@dataclass(frozen=True, slots=True)
class _Open:
    database: Database
    writer: Writer
    clock: Clock


class SQLiteStore:
    """Sessions in the file *path*: they outlive the server, and its workers share them.

    The file is made where there is none, for its owner alone to read (mode 0600), with
    two more beside it while it is in use.  A process that is killed loses nothing that
    it has acknowledged; a machine that loses its power may lose the last moments before
    (``synchronous=NORMAL``), but never half a write.

    It belongs on a disk of this machine.  While it is missing or damaged, or the disk
    full, requests that need it are answered with 503, and served again afterwards.
    *wall* tells the time, in seconds since the epoch.
    """

    limit: float | None = LIMIT

    def __init__(self, path: str | os.PathLike[str], *, wall: Wall = time.time) -> None:
        if not os.fspath(path) or os.fspath(path) == ":memory:":
            msg = (
                f"SQLiteStore({path!r}) needs a file; in memory there is MemoryStore()"
            )
            raise SetupError(msg)
        self._path = Path(path).absolute()
        self._wall = wall
        self._opened: _Open | None = None

    @asynccontextmanager
    async def open(self, site: Site, lifetime: Lifetime) -> AsyncIterator[None]:
        """Hold the file open, and in order, while the block runs; SetupError."""
        if self._opened is not None:
            msg = "this SQLiteStore is in use by another sessions(); give each its own"
            raise SetupError(msg)
        database, clock = Database(self._path, lifetime), Clock(self._wall)
        writer = Writer(database, clock)
        clock.lift(await database.open(clock()))
        self._opened = _Open(database, writer, clock)
        try:
            async with trio.open_nursery() as keeping:
                keeping.start_soon(writer.run)
                keeping.start_soon(sweep, writer, clock)
                keeping.start_soon(checkpoint, database, writer, clock)
                yield
                keeping.cancel_scope.cancel(reason="the server has stopped")
        finally:
            self._opened = None
            with trio.move_on_after(_LEAVING, shield=True):
                await database.close(clock())

    async def load(self, key: bytes) -> Record | None:
        """The record of *key*; None if there is none, or it has expired."""
        held = self._in_use()
        load = partial(Rows.load, key=key, now=held.clock())
        found = await held.database.read(load)
        if found is Absent.ENDED:
            await held.writer.write(partial(Rows.drop, key=key))
        return found if isinstance(found, Record) else None

    async def create(self, key: bytes, fields: Fields, user: str | None) -> None:
        """Make a record under *key*, which is new."""
        _require_text(fields)
        create = partial(Rows.create, key=key, fields=fields, user=_bytes(user))
        await self._write(create)

    async def save(self, key: bytes, changes: Changes) -> Outcome:
        """Write the fields of *changes* and no others, all or none; and touch it."""
        _require_text(changes)
        return await self._write(partial(Rows.save, key=key, changes=changes))

    async def replace(
        self, key: bytes, field: str, expected: bytes | None, new: bytes
    ) -> Outcome:
        """Write *new* into *field* if it still holds *expected* (None: is absent)."""
        _require_text([field])
        return await self._write(
            partial(Rows.replace, key=key, field=field, expected=expected, new=new)
        )

    async def touch(self, key: bytes) -> None:
        """Begin the idle time anew."""
        await self._write(partial(Rows.touch, key=key))

    async def rotate(
        self, key: bytes, new: bytes, changes: Changes, user: str | None
    ) -> Outcome:
        """Write *changes* and move the record from *key* to *new*, in one step."""
        _require_text(changes)
        return await self._write(
            partial(Rows.rotate, key=key, new=new, changes=changes, user=_bytes(user))
        )

    async def delete(self, key: bytes) -> None:
        """End the session *key*; nothing if there is none."""
        await self._write(partial(Rows.delete, key=key))

    async def keys(self, user: str) -> list[bytes]:
        """The keys of the sessions that *user* has."""
        database = self._in_use().database
        return await database.read(partial(Rows.keys, user=user.encode()))

    async def delete_all(self, user: str, but: bytes | None = None) -> None:
        """End every session of *user*, except the one under the key *but*."""
        await self._write(partial(Rows.delete_all, user=user.encode(), but=but))

    def _in_use(self) -> _Open:
        if self._opened is None:
            msg = "the SQLiteStore is not open; serve the App that has sessions()"
            raise SetupError(msg)
        return self._opened

    async def _write(self, write: Write[T]) -> T:
        return await self._in_use().writer.write(write)


def _bytes(user: str | None) -> bytes | None:
    return None if user is None else user.encode()


def _require_text(names: Iterable[str]) -> None:
    """UnicodeEncodeError here, not in the batch that others share."""
    for name in names:
        name.encode()
