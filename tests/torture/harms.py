"""Harms: what is done to a connection, and where in its course."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from tests.torture.faults import Fault


class Stop(enum.Enum):
    """What the server does, at the k-th step of the scheduler."""

    CANCEL = "is cancelled"
    DRAIN = "begins to stop"

    def __str__(self) -> str:
        return f"the server {self.value} at step"


class Leave(enum.Enum):
    """How the peer leaves, after the k-th byte."""

    CLOSE = "closes"
    RESET = "resets"
    HALF = "sends no more, and listens"


@dataclass(frozen=True)
class Sent:
    """The peer leaves after so many bytes of what it sends."""

    how: Leave

    def __str__(self) -> str:
        return f"the peer {self.how.value} after sending byte"


@dataclass(frozen=True)
class Heard:
    """The peer leaves after so many bytes of what it hears."""

    how: Leave

    def __str__(self) -> str:
        return f"the peer {self.how.value} after hearing byte"


@dataclass(frozen=True)
class Then:
    """The peer leaves at the k-th step of the scheduler."""

    how: Leave

    def __str__(self) -> str:
        return f"the peer {self.how.value} at step"


How = Stop | Fault | Sent | Heard | Then

STEPS: tuple[How, ...] = (*Stop, *(Then(leave) for leave in Leave))
USES: tuple[How, ...] = (*Fault,)
BYTES: tuple[How, ...] = (
    *(Sent(leave) for leave in Leave),
    Heard(Leave.CLOSE),
    Heard(Leave.RESET),
)
HARMS: tuple[How, ...] = STEPS + USES + BYTES


@dataclass(frozen=True)
class Harm:
    """One harm at its *at*-th occasion; with *how* None, none at all."""

    how: How | None = None
    at: int = 0

    def __str__(self) -> str:
        return "nothing" if self.how is None else f"{self.how} {self.at}"


NOTHING = Harm()
