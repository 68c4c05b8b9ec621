"""Store: what a session layer asks of the place where sessions are kept.

One record for each session, under a key of 32 bytes that reveals nothing.  A record is
made by `create` alone: whatever comes late for one that has ended finds nothing, and
never makes it again.  Fields are written one by one, so that two requests that change
different ones both count.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

import msgspec

from trioweb.message.errors import ServiceUnavailable
from trioweb.message.fields import Fields
from trioweb.message.site import Site

Changes = Mapping[str, bytes | None]
"""Fields to write; None: to remove."""

# Seconds that a store may take for one operation: an answer later than that is one that
# nobody waits for, and every request that waits holds a connection.
LIMIT = 0.5


class StoreError(ServiceUnavailable):
    """A store cannot answer now: what it was asked may or may not have happened.

    Left to itself it is answered with 503: a visitor without their session would be
    somebody else.  *reason* is for the log, not for the peer.
    """

    def __init__(self, reason: str) -> None:
        super().__init__("sessions are not to be had at the moment", retry_after=1)
        self.reason = reason


class Outcome(enum.Enum):
    """What became of a write."""

    SAVED = "saved"
    GONE = "gone"  # there is no such session (any more); nothing was written
    FULL = "full"  # it would have more than 16 KiB; nothing was written
    CHANGED = "changed"  # `replace`: the field is not what was expected


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long a session lives, in seconds: unused, and at most."""

    idle: float
    absolute: float


# No dataclass: it is made with each load, and a frozen one takes four times as long.
class Record(msgspec.Struct, frozen=True, gc=False):
    """A session as a store keeps it.

    *age* and *idle* are seconds since it was created and since it was last written or
    touched.
    """

    fields: Fields
    user: str | None
    age: float
    idle: float


class Store(Protocol):
    """Where sessions are kept; every method but `open` may raise StoreError.

    *limit* is how many seconds an operation may take before the layer gives it up; None
    for a store that never waits, being in this process: what it returns is then taken
    for what was given to it, and not looked through.
    """

    limit: float | None

    def open(
        self, site: Site, lifetime: Lifetime
    ) -> AbstractAsyncContextManager[object]:
        """Be ready while the block runs; SetupError where it cannot be."""

    async def load(self, key: bytes) -> Record | None:
        """The record of *key*; None if there is none, or it has expired."""

    async def create(self, key: bytes, fields: Fields, user: str | None) -> None:
        """Make a record under *key*, which is new."""

    async def save(self, key: bytes, changes: Changes) -> Outcome:
        """Write the fields of *changes* and no others, all or none; and touch it."""

    async def replace(
        self, key: bytes, field: str, expected: bytes | None, new: bytes
    ) -> Outcome:
        """Write *new* into *field* if it still holds *expected* (None: is absent)."""

    async def touch(self, key: bytes) -> None:
        """Begin the idle time anew."""

    async def rotate(
        self, key: bytes, new: bytes, changes: Changes, user: str | None
    ) -> Outcome:
        """Write *changes* and move the record from *key* to *new*, in one step.

        It is *user*'s then; where it was not before, its age begins anew.
        """

    async def delete(self, key: bytes) -> None:
        """End the session *key*; nothing if there is none."""

    async def keys(self, user: str) -> list[bytes]:
        """The keys of the sessions that *user* has."""

    async def delete_all(self, user: str, but: bytes | None = None) -> None:
        """End every session of *user*, except the one under the key *but*."""
