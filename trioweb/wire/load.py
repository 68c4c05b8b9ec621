"""Load: how short the process is of what it lives on, as the connections see it."""

from __future__ import annotations

import enum
from collections.abc import Callable

# Bytes of content after which somebody must look at once.  A thousand uploads read 64
# MiB in one turn of the loop; a process that may have 200 MiB has 10 left at HARD.
CONTENT = 4 * 1024 * 1024


class Level(enum.Enum):
    """What is asked of the connections, from nothing to the most."""

    EASE = "ease"  # nothing
    SOFT = "soft"  # to end after their next answer
    HARD = "hard"  # and to refuse what is new or still coming


class Load:
    """The level now; whoever watches the process sets it, the connections read it.

    *pressing*: connections should end rather than wait for another request;
    *refusing*: a request, or more of its content, is to be refused.  Both follow the
    level, and are looked at far more often than it moves.
    """

    __slots__ = ("_content", "_level", "look", "pressing", "refusing")

    def __init__(self) -> None:
        # Sets the level anew; must not block.
        self.look: Callable[[], None] | None = None
        self._content = 0  # bytes since then
        self.level = Level.EASE

    @property
    def level(self) -> Level:
        """What is asked of the connections now."""
        return self._level

    @level.setter
    def level(self, level: Level) -> None:
        self._level = level
        self.pressing = level is not Level.EASE
        self.refusing = level is Level.HARD

    def add(self, size: int) -> None:
        """Count *size* bytes of content that a handler may come to hold."""
        self._content += size
        if self._content >= CONTENT:
            self._content = 0
            if self.look is not None:
                self.look()
