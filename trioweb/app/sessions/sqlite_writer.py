"""Writer: everything that one turn of the event loop writes, in one transaction.

A transaction costs as much as what is written in it, and holds the file's one lock.  So
what the tasks of a turn want to write is gathered, and done at the next: here, in well
under a millisecond; in a thread where somebody else has the lock.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic

import trio

from trioweb.app.sessions.sqlite_clock import Clock
from trioweb.app.sessions.sqlite_database import Database, code
from trioweb.app.sessions.sqlite_rows import Rows, T
from trioweb.app.sessions.store import StoreError

# Writes in one transaction: a millisecond, in which the loop does nothing else.
BATCH = 64

# Writes that may wait: about what is done in the limit of one.  More would only wait
# to be given up.
WAITING = 10_000

# Writes after which the log should be checkpointed; each appends two or three pages to
# it.  SQLite itself does so after 1000 pages.
CHECKPOINT = 1000

Write = Callable[[Rows, float], T]
"""What is to be written, given the time; what came of it."""


@dataclass(slots=True, eq=False)
class _Job(Generic[T]):
    write: Write[T]
    wanted: bool = True  # somebody waits for it
    came: list[T] = field(default_factory=list)  # the one answer
    failed: StoreError | None = None


@dataclass(slots=True, eq=False)
class _Batch:
    jobs: list[_Job[Any]] = field(default_factory=list)
    done: trio.Event = field(default_factory=trio.Event)


class Writer:
    """Writes into *database*, in batches; each write stands by itself."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._batches: deque[_Batch] = deque()
        self._waiting = 0
        self._wake = trio.Event()
        self._written = 0
        self.due = trio.Event()  # the log should be checkpointed

    async def write(self, write: Write[T]) -> T:
        """Do *write* with the next batch; StoreError where that fails.

        When it is cancelled meanwhile it may be done all the same.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        if self._waiting >= WAITING:
            raise StoreError(f"{WAITING} writes are waiting already")
        job = _Job(write)
        batch = self._gather(job)
        self._waiting += 1
        try:
            await batch.done.wait()
        finally:
            self._waiting -= 1
            job.wanted = False
        if job.came:
            return job.came[0]
        raise job.failed or StoreError("the store has been closed")

    async def run(self) -> None:
        """Do what is to be written, for ever; cancelled, it ends what it has begun."""
        while True:
            if not self._batches:
                self._wake = trio.Event()
                await self._wake.wait()
            batch = self._batches.popleft()
            try:
                await self._perform(batch.jobs)
            finally:
                batch.done.set()
            # One batch a turn, however many wait.
            await trio.lowlevel.checkpoint()

    def checkpointed(self) -> None:
        """Begin to count anew until the next checkpoint is `due`."""
        self._written = 0
        self.due = trio.Event()

    def _gather(self, job: _Job[T]) -> _Batch:
        if not self._batches or len(self._batches[-1].jobs) >= BATCH:
            self._batches.append(_Batch())
        batch = self._batches[-1]
        batch.jobs.append(job)
        self._wake.set()
        return batch

    async def _perform(self, jobs: Sequence[_Job[Any]]) -> None:
        now = self._clock()
        rows = self._database.quick()
        try:
            if rows is None or not _done(rows, jobs, now):
                await self._database.patiently(partial(_do_each, jobs=jobs, now=now))
        except StoreError as error:
            for job in jobs:
                if not job.came:
                    job.failed = job.failed or error
        self._written += len(jobs)
        if self._written >= CHECKPOINT:
            self.due.set()


def _done(rows: Rows, jobs: Sequence[_Job[Any]], now: float) -> bool:
    """Do all of *jobs* if that can be done at once; whether it was."""
    try:
        _do(rows, jobs, now)
    except sqlite3.Error:
        return False
    return True


def _do_each(rows: Rows, jobs: Sequence[_Job[Any]], now: float) -> None:
    """Do what can be done of *jobs*; sqlite3.Error where that is known to be none."""
    try:
        _do(rows, jobs, now)
    except sqlite3.Error as error:
        if len(jobs) == 1 or code(error) == sqlite3.SQLITE_BUSY:
            raise
    else:
        return
    # One of them cannot be done, and must not take the others along: where the disk is
    # full, a session can still be ended.
    for job in jobs:
        try:
            _do(rows, [job], now)
        except sqlite3.Error as error:
            if code(error) == sqlite3.SQLITE_BUSY:
                raise
            job.failed = StoreError(str(error))


def _do(rows: Rows, jobs: Sequence[_Job[Any]], now: float) -> None:
    """Do *jobs* in one transaction; sqlite3.Error, and none of them is done."""
    db = rows.db
    db.execute("BEGIN IMMEDIATE")
    try:
        wanted = [job for job in jobs if job.wanted]
        came = [job.write(rows, now) for job in wanted]
        db.execute("COMMIT")
    finally:
        if db.in_transaction:  # it is not after some errors
            db.execute("ROLLBACK")
    for job, answer in zip(wanted, came, strict=True):
        job.came.append(answer)
