"""Service: what every connection of one server shares."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import trio

from trioweb.message.exchange import Exchanged
from trioweb.message.handler import Handler
from trioweb.rules.dates import format_date
from trioweb.wire.limits import Limits
from trioweb.wire.watch import Watch


class DateField:
    """The value of the Date field, made once a second (RFC 9110 section 6.6.1)."""

    __slots__ = ("_second", "_value")

    def __init__(self) -> None:
        self._second = -1
        self._value = b""

    def now(self) -> bytes:
        """The date of this second as the field's value."""
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._value = format_date(second).encode("ascii")
        return self._value


@dataclass(frozen=True, slots=True)
class Service:
    """The handler, the limits, and what tells the connections that the server stops."""

    handler: Handler
    limits: Limits = field(default_factory=Limits)
    # Told of every exchange when it is over; it must not block.
    record: Callable[[Exchanged], None] | None = None
    draining: trio.Event = field(default_factory=trio.Event)
    date: DateField = field(default_factory=DateField)
    # Connections that wait for a request.
    idle: set[Watch] = field(default_factory=set)

    def drain(self) -> None:
        """Begin to stop: let idle connections go, and mark the others as their last."""
        self.draining.set()
        for watch in self.idle:
            watch.hurry(self.limits.drain_linger)
