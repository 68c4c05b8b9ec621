"""Progress: where a long run is, in one line that updates itself on a terminal."""

from __future__ import annotations

import sys
import time
from typing import TextIO

# Seconds between two lines where they cannot be overwritten, as in a log.
PLAIN_PAUSE = 5.0


class Progress:
    """Says on standard error where a run is; never more than its reader can read."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = sys.stderr if out is None else out
        self._terminal = self._out.isatty()
        self._last = 0.0  # time.monotonic() of the last plain line

    def show(self, line: str) -> None:
        """Show *line* in the place of the last one; or as a line, now and then."""
        if self._terminal:
            self._out.write(f"\r\x1b[K{line}")
        elif time.monotonic() - self._last >= PLAIN_PAUSE:
            self._last = time.monotonic()
            self._out.write(f"{line}\n")
        self._out.flush()

    def keep(self, line: str) -> None:
        """Show *line* and leave it standing."""
        start = "\r\x1b[K" if self._terminal else ""
        self._out.write(f"{start}{line}\n")
        self._out.flush()
