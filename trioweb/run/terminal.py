"""The terminal a program was started at, whose end is told by a signal of two minds."""

from __future__ import annotations

import signal
import sys


def has_terminal() -> bool:
    """Whether standard error is a terminal, and still there."""
    return sys.stderr is not None and not sys.stderr.closed and sys.stderr.isatty()


def asks_for_renewal(number: int, *, terminal: bool) -> bool:
    """Whether the signal *number* is a SIGHUP that asks to read everything again.

    One that comes from the end of the *terminal* that there was at the start does not:
    a terminal that has been closed says so by the same signal.
    """
    return number == signal.SIGHUP and terminal == has_terminal()
