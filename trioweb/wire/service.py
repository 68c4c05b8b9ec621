"""Service: what every connection of one server shares."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import trio

from trioweb.message.errors import HTTPError, ServiceUnavailable
from trioweb.message.exchange import Exchanged
from trioweb.message.handler import Handler
from trioweb.message.problem import problem
from trioweb.message.request import Request
from trioweb.message.response import Response
from trioweb.rules.dates import format_date
from trioweb.rules.forwarded import Proxies
from trioweb.wire.alarms import Alarms
from trioweb.wire.limits import Limits
from trioweb.wire.load import Load
from trioweb.wire.together import Flush
from trioweb.wire.watch import Cause, Watch

# Seconds after which a peer that found too many requests before its own may try again:
# most of those will have been answered, and given back their memory.
RETRY_AFTER = 1


def overloaded() -> ServiceUnavailable:
    """What a peer is told for whom there is no room now."""
    return ServiceUnavailable("too many at once", retry_after=RETRY_AFTER)


def busy(request: Request) -> Response:
    """The answer to a *request* for which there is no room now."""
    return problem(overloaded(), request.headers.get("accept"))


def too_late(cause: Cause | None) -> HTTPError:
    """What a peer is told whose exchange was ended by the clock."""
    if cause is Cause.SLOW:
        return HTTPError(408, "the content came too slowly")
    return HTTPError(503, "the answer took too long")


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
    # Who may speak for somebody else; None: nobody.
    proxies: Proxies | None = None
    draining: trio.Event = field(default_factory=trio.Event)
    date: DateField = field(default_factory=DateField)
    alarms: Alarms = field(default_factory=Alarms)
    # Connections that wait for a request, the one that has waited longest first.
    idle: dict[Watch, None] = field(default_factory=dict)
    # Requests whose handler is at work.
    at_work: set[Request] = field(default_factory=set)
    load: Load = field(default_factory=Load)
    flush: Flush = field(default_factory=Flush)
    # Called when the server begins to stop, of whoever has something to say to that.
    at_drain: set[Callable[[], None]] = field(default_factory=set)
    # Whether what is plain goes without h11; the answers are the same.
    lane: bool = True

    async def answer(self, request: Request) -> Response:
        """What the handler answers; 503 at once where there is no room for it.

        That is where too many are at work already, or the load says so.
        """
        if self.load.refusing or len(self.at_work) >= self.limits.at_work:
            return busy(request)
        self.at_work.add(request)
        try:
            return await self.handler(request)
        finally:
            self.at_work.discard(request)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep the deadlines and answers of its connections while the block runs."""
        async with trio.open_nursery() as clockwork:
            clockwork.start_soon(self.alarms.run)
            clockwork.start_soon(self.flush.run)
            yield
            clockwork.cancel_scope.cancel(reason="nobody waits any more")

    def evict(self) -> bool:
        """Close the connection that has been idle longest; False if none is idle."""
        watch = next(iter(self.idle), None)
        if watch is None:
            return False
        self.dismiss(watch)
        return True

    def dismiss(self, watch: Watch) -> None:
        """Close a connection if it is idle; one that is at work goes on."""
        if watch in self.idle:
            del self.idle[watch]
            watch.evict()

    def drain(self) -> None:
        """Begin to stop: let idle connections go, and mark the others as their last."""
        self.draining.set()
        for watch in self.idle:
            watch.hurry(self.limits.drain_linger)
        for tell in [*self.at_drain]:
            tell()
