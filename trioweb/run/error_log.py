"""The error log of a program that has not said where its errors go.

Everything goes through the standard logging module, to whatever handlers its user has.
Only where there are none, and the program is ours, do lines go to standard error, by
the writer that never waits.
"""

from __future__ import annotations

import logging
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# Lines a second from one place in the code: a flood of the same fault, which a peer may
# have set off, must neither fill a disk nor hide the others.
RATE = 100

# What would forge a line or drive a terminal: exceptions quote what peers have sent.
_UNPRINTABLE = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]"
)


@contextmanager
def errors_told(write: Callable[[str], None]) -> Iterator[None]:
    """Give what trioweb logs to *write*, unless a handler is there to take it."""
    logger = logging.getLogger("trioweb")
    if logging.getLogger("trioweb.error").hasHandlers():
        yield
        return
    handler = ErrorLog(write)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


class ErrorLog(logging.Handler):
    """Gives each record to *write* as text: its line, and indented what belongs to it.

    At most 100 a second from one place, the last of which says that it is.  Nothing
    once the root logger has handlers: then somebody has said where errors go.
    """

    def __init__(self, write: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._write = write
        self._second = 0
        self._places: Counter[tuple[str, int]] = Counter()
        form = logging.Formatter(
            "%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%SZ"
        )
        form.converter = time.gmtime
        self.setFormatter(form)

    def emit(self, record: logging.LogRecord) -> None:
        """Write *record*."""
        if logging.getLogger().handlers:
            return
        second = int(record.created)
        if second != self._second:
            self._second = second
            self._places.clear()
        place = (record.pathname, record.lineno)
        self._places[place] += 1
        if self._places[place] > RATE:
            return
        text = _UNPRINTABLE.sub(_shown, self.format(record)).replace("\n", "\n  ")
        if self._places[place] == RATE:
            text += "\n  (what comes from here in the same second is left out)"
        self._write(text)


def _shown(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode()
