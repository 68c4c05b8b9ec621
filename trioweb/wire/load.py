"""Load: how short the process is of what it lives on, as the connections see it."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass

# Bytes of content after which somebody must look at once.  A thousand uploads read 64
# MiB in one turn of the loop; a process that may have 200 MiB has 10 left at HARD.
CONTENT = 4 * 1024 * 1024


class Level(enum.Enum):
    """What is asked of the connections, from nothing to the most."""

    EASE = "ease"  # nothing
    SOFT = "soft"  # to end after their next answer
    HARD = "hard"  # and to refuse what is new or still coming


@dataclass(slots=True)
class Load:
    """The level now; whoever watches the process sets it, the connections read it."""

    level: Level = Level.EASE
    # Sets the level anew; must not block.
    look: Callable[[], None] | None = None
    _content: int = 0  # bytes since then

    def add(self, size: int) -> None:
        """Count *size* bytes of content that a handler may come to hold."""
        self._content += size
        if self._content >= CONTENT:
            self._content = 0
            if self.look is not None:
                self.look()

    @property
    def pressing(self) -> bool:
        """Whether connections should end rather than wait for another request."""
        return self.level is not Level.EASE

    @property
    def refusing(self) -> bool:
        """Whether a request, or more of its content, is to be refused."""
        return self.level is Level.HARD
