"""Signals: held back while nobody can take them, so that none ends a process midway."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

# What a supervisor takes: two that stop it, and one that reloads.
TAKEN = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})


@contextmanager
def held_back() -> Iterator[None]:
    """Hold back every signal of ours while the block runs.

    What came meanwhile, and nobody has taken within the block, is forgotten: it asked
    for the end that has come.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, TAKEN)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_BLOCK, TAKEN)
        while pending := signal.sigpending() & TAKEN:
            signal.sigwait(pending)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def deferred() -> Iterator[None]:
    """Hold back every signal of ours for a moment; a child starts so, too."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, TAKEN)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def hold_back() -> None:
    """Hold back every signal of ours to the end of a program that only serves."""
    signal.pthread_sigmask(signal.SIG_BLOCK, TAKEN)


def let_in() -> None:
    """Take signals: the handlers stand."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, TAKEN)
