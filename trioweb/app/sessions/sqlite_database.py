"""Database: a file of sessions as one event loop holds it, found again when lost.

Two connections.  The quick one is used on the event loop and never waits; whatever it
cannot do at once is asked again, in a thread, of the patient one.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import trio

from trioweb.app.sessions.sqlite_file import check, connect, prepare
from trioweb.app.sessions.sqlite_rows import Ask, Rows, T
from trioweb.app.sessions.store import Lifetime, StoreError
from trioweb.message.errors import SetupError
from trioweb.message.offload import offload

log = logging.getLogger(__name__)

# Seconds that the patient connection waits for who else writes: under the limit of an
# operation, so that it has its answer before nobody waits for that any more.
WAIT = 0.4

# Seconds between two attempts to find a file that is lost or damaged.
RENEWAL = 1.0

# Errors that say nothing against the file: somebody else writes; the disk is full.
_PASSING = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_FULL}


@dataclass(frozen=True, slots=True)
class _Held:
    """Both connections, and which file they lead to."""

    quick: Rows
    patient: Rows
    file: tuple[int, int]

    def close(self) -> None:
        self.quick.db.close()
        self.patient.db.close()


class Database:
    """The sessions in the file at *path*."""

    def __init__(self, path: Path, lifetime: Lifetime) -> None:
        self.path = path
        self.lifetime = lifetime
        self._held: _Held | None = None
        self._turn = trio.Lock()  # of the patient connection
        self._suspect = False  # an error has said that the file is not as it should be
        self._renewed = 0.0
        self._lost = ""  # why there was nothing to be renewed

    async def open(self, now: float) -> float:
        """Connect to the file, made if need be; SetupError where that cannot be.

        Returns the latest time that was left in it, *now* included.
        """
        floor = await offload(partial(prepare, self.path, self.lifetime, now))
        self._held = await offload(partial(_hold, self.path, self.lifetime))
        self._renewed = trio.current_time()
        return floor

    async def close(self, now: float) -> None:
        """Let go of the file, in which is left that it is *now*."""
        held, self._held = self._held, None
        if held is not None:
            await offload(partial(_leave, held, now))

    def quick(self) -> Rows | None:
        """The connection that never waits; None: ask `patiently`, it finds out why."""
        held = self._held
        if held is None or self._suspect or _file(self.path) != held.file:
            return None
        return held.quick

    async def read(self, ask: Ask[T]) -> T:
        """What *ask* reads.

        StoreError where it cannot be read.  Nothing is lost when it is cancelled.
        """
        rows = self.quick()
        if rows is not None:
            try:
                return ask(rows)
            except sqlite3.Error:
                # Somebody keeps the readers out too, or worse.
                await trio.lowlevel.checkpoint()
        return await self.patiently(ask)

    async def patiently(self, ask: Ask[T]) -> T:
        """What *ask* gets in a thread, where it waits for who else writes; StoreError.

        When cancelled, what *ask* has begun it ends.
        """
        async with self._turn:
            held = await self._sound()
            try:
                return await offload(partial(ask, held.patient))
            except sqlite3.Error as error:
                raise self._failed(error) from error

    async def _sound(self) -> _Held:
        """The connections; renewed where they lead to a file that is not there."""
        held = self._held
        if held is None:
            raise StoreError("the store has been closed")
        if not self._suspect and _file(self.path) == held.file:
            return held
        now = trio.current_time()
        if now < self._renewed + RENEWAL:
            raise StoreError(self._lost or f"{self.path} was removed or replaced")
        self._renewed = now
        try:
            self._held = await offload(partial(_find, self.path, self.lifetime))
        except (OSError, sqlite3.Error, SetupError) as error:
            self._lost = f"{self.path} is lost: {error}; put it back, or restart"
            raise StoreError(self._lost) from error
        self._suspect, self._lost = False, ""
        log.warning("%s is connected to anew", self.path)
        with trio.CancelScope(shield=True):
            await offload(held.close)
        return self._held

    def _failed(self, error: sqlite3.Error) -> StoreError:
        if code(error) not in _PASSING:
            # Not more often: one damaged page must not keep everybody waiting.
            if trio.current_time() >= self._renewed + RENEWAL:
                self._suspect = True
        return StoreError(f"{self.path}: {error}")


def code(error: sqlite3.Error) -> int:
    """What kind of *error* SQLite has raised; 0 where it was not SQLite."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF  # the rest: which of the kind


def _find(path: Path, lifetime: Lifetime) -> _Held:
    check(path)
    return _hold(path, lifetime)


def _hold(path: Path, lifetime: Lifetime) -> _Held:
    with ExitStack() as failing:
        file = _file(path)
        quick = connect(path, 0)
        failing.callback(quick.close)
        patient = connect(path, WAIT)
        failing.callback(patient.close)
        if file is None or _file(path) != file:
            msg = f"{path} is being moved"
            raise SetupError(msg)
        failing.pop_all()
    return _Held(Rows(quick, lifetime), Rows(patient, lifetime), file)


def _leave(held: _Held, now: float) -> None:
    try:
        held.patient.lift(now)
    except sqlite3.Error as error:
        log.warning("the sessions' file is left as it is: %s", error)
    # The last process to leave brings what is in the log into the file: this may take.
    held.close()


def _file(path: Path) -> tuple[int, int] | None:
    """Which file is at *path*; None if none is.

    SQLite itself, with a log, goes on writing into a file that was removed.
    """
    try:
        found = os.stat(path)  # noqa: PTH116  # each load: half of what Path takes
    except OSError:
        return None
    return found.st_dev, found.st_ino
