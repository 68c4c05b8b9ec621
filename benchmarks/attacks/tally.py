"""Tally: what an attack has done, and what became of its connections."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection
from dataclasses import dataclass, field

# How a connection ended, where no answer said so by its status.
CLOSED = "closed"  # by the server, in order
RESET = "reset"  # by the server, at once
HELD = "held"  # it stood when the time was up
LEFT = "left"  # by the peer, as it meant to
HUNG = "hung"  # answered, or told that we go, and still not closed
WRONG = "wrong"  # an answer that belongs to something else


@dataclass(slots=True)
class Tally:
    """Counts of one attack so far.

    *endings* counts connections by how they ended: one of the words above, or the
    status of the server's last answer.  *longest* is the age in seconds of the oldest
    connection, ended or not, and *shortest* of the youngest that the server has ended.
    """

    opened: int = 0
    refused: int = 0
    open: int = 0
    exchanges: int = 0
    longest: float = 0.0
    shortest: float | None = None
    endings: dict[str, int] = field(default_factory=dict)

    def end(self, ending: str, age: float) -> None:
        """A connection has ended so, *age* seconds old."""
        self.open -= 1
        self.endings[ending] = self.endings.get(ending, 0) + 1
        self.longest = max(self.longest, age)
        if ending not in {HELD, LEFT}:
            self.shortest = age if self.shortest is None else min(age, self.shortest)

    def others(self, expected: Collection[str]) -> dict[str, int]:
        """The endings that are none of *expected*."""
        return {
            ending: count
            for ending, count in sorted(self.endings.items())
            if ending not in expected
        }

    def to_json(self) -> str:
        """One line."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, line: bytes) -> Tally:
        """What `to_json` wrote."""
        return cls(**json.loads(line))
