"""A SQLite file of sessions: made private, known by its version, and connected to."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import ExitStack
from pathlib import Path

from trioweb.app.sessions.sqlite_rows import SCHEMA, Rows
from trioweb.app.sessions.store import Lifetime
from trioweb.message.errors import SetupError

# What says that a file is ours ("trow"), and how it is laid out.
APPLICATION = 0x74726F77
VERSION = 1

# Only the owner may read who is signed in.  SQLite gives its other two files the same.
MODE = 0o600

# Seconds that opening waits for another process which writes, or opens it just now.
PATIENCE = 5.0

# Seconds between two attempts where SQLite does not wait by itself: when two processes
# turn a new file to WAL.
_PAUSE = 0.02

_PRAGMAS = (
    # What is in the WAL survives this process, without a sync for each commit.
    "PRAGMA synchronous = NORMAL",
    # By whoever crosses the line, which would be a request on the event loop.
    "PRAGMA wal_autocheckpoint = 0",
    # The file may have been written by others: it says nothing that we call.
    "PRAGMA trusted_schema = OFF",
    "PRAGMA cell_size_check = ON",
)


def prepare(path: Path, lifetime: Lifetime, now: float) -> float:
    """Make the file at *path*, or see that it is one of ours; SetupError if not.

    Returns the latest time that was left in it, *now* included.
    """
    try:
        _make(path)
        db = connect(path, PATIENCE)
        try:
            if _is_new(db, path):
                _lay_out(db, path)
            _require_wal(db, path)
            return Rows(db, lifetime).lift(now)
        finally:
            db.close()
    except OSError as error:
        msg = (
            f"sessions cannot be kept in {path}: {error.strerror}; "
            "name a file in a directory that is there and can be written to"
        )
        raise SetupError(msg) from error
    except sqlite3.Error as error:
        msg = (
            f"sessions cannot be kept in {path}: {error}; see that it can be written "
            "to and nobody holds it locked, or remove it (everybody signs in again)"
        )
        raise SetupError(msg) from error


def check(path: Path) -> None:
    """See that the file at *path* is one of ours; SetupError or sqlite3.Error."""
    db = connect(path, PATIENCE)
    try:
        if _is_new(db, path):
            msg = f"{path} is empty"
            raise SetupError(msg)
        _require_wal(db, path)
    finally:
        db.close()


def connect(path: Path, timeout: float) -> sqlite3.Connection:
    """A connection to the file at *path*, which waits *timeout* seconds for a lock.

    To make it takes longer where another process opens or closes the file just now.
    """
    with ExitStack() as failing:
        db = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw",  # the file is made by `prepare`
            uri=True,
            timeout=PATIENCE,
            isolation_level=None,  # transactions are begun where they are meant
            check_same_thread=False,  # but used by one at a time
        )
        failing.callback(db.close)
        for pragma in _PRAGMAS:
            db.execute(pragma)
        db.execute("PRAGMA schema_version").fetchone()  # the first look into the file
        db.execute(f"PRAGMA busy_timeout = {timeout * 1000:.0f}")
        failing.pop_all()
    return db


def _make(path: Path) -> None:
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, MODE))
    except FileExistsError:
        # Never opened to see what it is: closing that would end every lock which
        # SQLite has on it for this process (POSIX).
        if path.stat().st_uid == os.geteuid():
            path.chmod(MODE)


def _is_new(db: sqlite3.Connection, path: Path) -> bool:
    # First the tables: if another process makes them just now, it signs the file too.
    (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if application == APPLICATION and version == VERSION:
        return False
    if application == APPLICATION:
        msg = (
            f"{path} holds sessions of version {version}, and this trioweb keeps "
            f"version {VERSION}; name another file, or remove it (everybody signs in "
            "again)"
        )
        raise SetupError(msg)
    if tables:
        msg = f"{path} is another program's database; give the sessions their own file"
        raise SetupError(msg)
    return True


def _lay_out(db: sqlite3.Connection, path: Path) -> None:
    db.execute("BEGIN IMMEDIATE")
    try:
        # Another process may have been here between the look and the lock.
        if _is_new(db, path):
            for statement in SCHEMA:
                db.execute(statement)
            db.execute(f"PRAGMA application_id = {APPLICATION}")
            db.execute(f"PRAGMA user_version = {VERSION}")
        db.execute("COMMIT")
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")


def _require_wal(db: sqlite3.Connection, path: Path) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            (mode,) = db.execute("PRAGMA journal_mode = WAL").fetchone()
            break
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(_PAUSE)
    if mode != "wal":
        msg = (
            f"{path} cannot have a write-ahead log where it is; keep sessions on a "
            "disk of this machine, not on one that is shared over a network"
        )
        raise SetupError(msg)
