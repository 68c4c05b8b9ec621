"""A process that writes a session in a SQLite file, for tests that kill it or race it.

``python -m tests.apps.sessions_in_file acknowledge FILE`` writes one number after
another and prints each as soon as the store has acknowledged it, until it is killed.

``python -m tests.apps.sessions_in_file count FILE TIMES`` adds one to a number as
often, and leaves a field for each time.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import trio

from trioweb.app.sessions.sqlite import SQLiteStore
from trioweb.app.sessions.store import Lifetime, Outcome
from trioweb.message.site import Site

KEY = bytes(32)
LIFETIME = Lifetime(3600, 36000)


async def acknowledge(store: SQLiteStore) -> None:
    """Print what has been acknowledged, and nothing else."""
    record = await store.load(KEY)
    if record is None:
        await store.create(KEY, {"n": b"0"}, "ada")
    number = 0 if record is None else int(record.fields["n"])
    while True:
        number += 1
        outcome = await store.save(KEY, {"n": b"%d" % number})
        if outcome is not Outcome.SAVED:
            raise RuntimeError(outcome)
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


async def count(store: SQLiteStore, name: str, times: int) -> None:
    """Count up, and say so in fields of our own."""
    for time in range(times):
        await store.save(KEY, {f"{name}{time}": b"true"})
        outcome = Outcome.CHANGED
        while outcome is Outcome.CHANGED:
            record = await store.load(KEY)
            if record is None:
                raise RuntimeError("gone")
            before = record.fields["n"]
            after = b"%d" % (int(before) + 1)
            outcome = await store.replace(KEY, "n", before, after)


async def main(what: str, path: Path, *more: str) -> None:
    store = SQLiteStore(path)
    async with store.open(Site(2, 0, path.parent), LIFETIME):
        if what == "acknowledge":
            await acknowledge(store)
        else:
            await count(store, more[0], int(more[1]))


if __name__ == "__main__":
    trio.run(partial(main, sys.argv[1], Path(sys.argv[2]), *sys.argv[3:]))
