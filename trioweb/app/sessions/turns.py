"""Turns: those who would compute one session anew do so one after another."""

from __future__ import annotations

from weakref import WeakValueDictionary

import trio

_Locks = WeakValueDictionary[bytes, trio.Lock]

# Of each event loop: a lock lives as long as somebody holds it or waits for it.
_locks: trio.lowlevel.RunVar[_Locks] = trio.lowlevel.RunVar("trioweb_session_turns")


def turn(key: bytes) -> trio.Lock:
    """What to hold while the session *key* is read, computed and replaced.

    It spares those of one process from failing against each other: of a hundred that
    replace at the same time, one would succeed.  Against other processes it is of no
    help, and need not be, for the store compares.
    """
    try:
        locks = _locks.get()
    except LookupError:
        locks = _Locks()
        _locks.set(locks)
    lock = locks.get(key)
    if lock is None:
        lock = locks[key] = trio.Lock()
    return lock
