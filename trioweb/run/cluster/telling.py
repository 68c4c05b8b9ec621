"""Telling: a supervisor's lines on standard error, for which it never waits."""

from __future__ import annotations

import os
import select
import sys
from contextlib import suppress


def tell(line: str) -> None:
    """Write *line* to standard error if it can be taken at once; else it is lost.

    Not by a thread, of which a supervisor has none: its lines are few.
    """
    with suppress(OSError, ValueError, AttributeError):  # closed, full, or none at all
        descriptor = sys.stderr.fileno()
        ready = select.poll()
        ready.register(descriptor, select.POLLOUT)
        if ready.poll(0):
            # As much as a pipe that is ready takes without blocking, and whole.
            data = line.encode("utf-8", "backslashreplace")[: select.PIPE_BUF - 1]
            os.write(descriptor, data + b"\n")
