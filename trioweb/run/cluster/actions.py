"""Actions: what the plan wants to have done, as values; *worker* is a number."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spawn:
    """Start a process for a slot."""

    worker: int
    slot: int


@dataclass(frozen=True, slots=True)
class Listen:
    """Give a worker these sockets to accept from."""

    worker: int
    sockets: frozenset[int]


@dataclass(frozen=True, slots=True)
class Hush:
    """Let a worker accept no more from these sockets, which another one has."""

    worker: int
    sockets: frozenset[int]


@dataclass(frozen=True, slots=True)
class Drain:
    """Ask a worker for a graceful stop.

    *last*: nobody else will accept, so it takes also those who are waiting.
    """

    worker: int
    last: bool


@dataclass(frozen=True, slots=True)
class Terminate:
    """End a worker that serves nobody yet."""

    worker: int


@dataclass(frozen=True, slots=True)
class Cancel:
    """End a worker at once, but let it clean up."""

    worker: int


@dataclass(frozen=True, slots=True)
class Dump:
    """Let a worker that does not respond show where it is, and die of it."""

    worker: int


@dataclass(frozen=True, slots=True)
class Kill:
    """End a worker whatever it does."""

    worker: int


@dataclass(frozen=True, slots=True)
class Announce:
    """The first worker is ready: say where the server is reached."""


@dataclass(frozen=True, slots=True)
class Tell:
    """Something for the log, at a level of the module logging; of a worker, or all."""

    level: int
    text: str
    worker: int | None = None


@dataclass(frozen=True, slots=True)
class Finish:
    """No worker is left, and none will be: end with this exit code."""

    code: int


Action = (
    Spawn
    | Listen
    | Hush
    | Drain
    | Terminate
    | Cancel
    | Dump
    | Kill
    | Announce
    | Tell
    | Finish
)
