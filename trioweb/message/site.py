"""Site: where an application runs, as its lifespans are told."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from trioweb.message.health import Health
from trioweb.message.topics import Topics


@dataclass(frozen=True, slots=True)
class Site:
    """One worker's place among its siblings.

    *worker* counts from 0 to *workers* - 1, as many as there were to be when this one
    started.  While one replaces another both have the same number, so what it names
    must stand being opened twice.  *directory* is private to this server (mode 0700)
    and shared by its workers; it is removed when the server ends.  *health* is how the
    server is, and *topics* reach every worker.
    """

    workers: int
    worker: int
    directory: Path
    health: Health = field(default_factory=Health, compare=False, repr=False)
    topics: Topics = field(default_factory=Topics, compare=False, repr=False)
