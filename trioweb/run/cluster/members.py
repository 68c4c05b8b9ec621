"""Members: the workers and their places, as the plan knows them."""

from __future__ import annotations

import enum
import math
import signal
from dataclasses import dataclass, field

from trioweb.run.recycling import Recycling


class State(enum.Enum):
    """Where a worker is in its life."""

    STARTING = "starting"  # imports the application, enters its lifespans
    READY = "ready"  # serves
    DRAINING = "draining"  # finishes what it has begun
    STUCK = "stuck"  # gave no sign of life, and is being killed


@dataclass(slots=True, kw_only=True)
class Policy:
    """How long workers may take, in seconds, and when they are replaced.

    The fields of Config of the same names; a reload may change them.
    """

    grace: float = 30.0
    cleanup: float = 5.0
    startup: float = 60.0
    silence: float = 30.0
    recycling: Recycling = field(default_factory=Recycling)


@dataclass(slots=True, kw_only=True)
class Member:
    """One worker process, from its start to its end."""

    number: int  # never used twice
    slot: int
    generation: int  # of the code: how many reloads there had been
    began: float
    heard: float  # when it last gave a sign of life
    share: float  # of each bound of recycling that holds for this one
    state: State = State.STARTING
    served: float = math.inf  # since when it serves
    until: float = math.inf  # when it is killed, if it is draining or stuck
    reason: str = ""  # why it could not start, in its own words
    sockets: frozenset[int] = frozenset()


@dataclass(slots=True)
class Place:
    """A slot: the worker that serves in it, and the one that is to replace it."""

    current: Member | None = None
    successor: Member | None = None
    failures: int = 0  # starts in a row that came to nothing by themselves
    killed: int = 0  # starts in a row that a signal has ended
    retry: float = 0.0  # when the next start may be tried
    recycle: float = 0.0  # when the next recycling may be tried
    started: int = 0  # processes so far
    fault: str = ""  # why the last one that was lost was


def ending(code: int) -> str:
    """How a process ended, by its exit code as multiprocessing tells it.

    >>> ending(-9)
    'was killed by SIGKILL'
    >>> ending(1)
    'ended with exit code 1'
    """
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:  # a real-time signal has no name
        return f"was killed by signal {-code}"
