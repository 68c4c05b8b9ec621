"""Upkeep of a file of sessions: what has expired is swept, the log kept short."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path

import trio

from trioweb.app.sessions.sqlite_clock import Clock
from trioweb.app.sessions.sqlite_database import WAIT, Database
from trioweb.app.sessions.sqlite_file import connect
from trioweb.app.sessions.sqlite_rows import Rows
from trioweb.app.sessions.sqlite_writer import Writer
from trioweb.app.sessions.store import StoreError
from trioweb.message.offload import offload

log = logging.getLogger(__name__)

# Seconds between two sweeps, which is also by how much a clock that was set back while
# no process ran can make sessions live longer.
SWEEP = 60.0

# Seconds between two bites of one sweep: a hundredth of the loop's time at most.
_BITE = 0.05

# Bytes of log from which it is cut: it no longer empties by itself, because there is
# always somebody who writes or reads.
LARGE = 16 * 1024 * 1024


async def sweep(writer: Writer, clock: Clock) -> None:
    """Remove what has expired, now and then, for ever."""
    while True:
        try:
            clock.lift(await writer.write(Rows.lift))
            more = True
            while more:
                more = await writer.write(Rows.sweep)
                await trio.sleep(_BITE)
        except StoreError as error:
            log.warning("no sweep of sessions: %s", error.reason)
        await trio.sleep(SWEEP)


async def checkpoint(database: Database, writer: Writer, clock: Clock) -> None:
    """Bring what is in the log into the file, whenever it is due, for ever."""
    while True:
        await writer.due.wait()
        writer.checkpointed()
        try:
            await offload(partial(_checkpoint, database, clock()))
        except sqlite3.Error as error:
            log.warning("no checkpoint of %s: %s", database.path, error)


def _checkpoint(database: Database, now: float) -> None:
    path = database.path
    # A connection of its own, for the others must not wait.
    with closing(connect(path, WAIT)) as db:
        db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        if _size(Path(f"{path}-wal")) > LARGE:
            # Writers wait for this one, but there is little left to be done.
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        # SQLite syncs with the first write into a log that begins anew: let it be this
        # one, which nobody waits for.
        Rows(db, database.lifetime).lift(now)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
