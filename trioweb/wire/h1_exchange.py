"""The exchange of HTTP/1.1: what a connection holds, and what a handler asks of it."""

from __future__ import annotations

from contextlib import AbstractContextManager

import h11
import trio

from trioweb.message.exchange import Ending, OnDisconnect
from trioweb.message.request import Request
from trioweb.message.transport import Transport
from trioweb.rules.headers import Headers
from trioweb.wire.inbound import Inbound
from trioweb.wire.outbound import Outbound
from trioweb.wire.service import Service, overloaded
from trioweb.wire.watch import Watch


class H1Exchange:
    """One connection, as the handler of the request at work sees it: an Exchange."""

    def __init__(
        self, transport: Transport, service: Service, others: tuple[bytes, ...] = ()
    ) -> None:
        limits = service.limits
        self._others = others  # what other protocols begin with
        self.ahead = b""  # what was read of one
        self._transport = transport
        self._service = service
        self._limits = limits
        self._h11 = h11.Connection(h11.SERVER, max_incomplete_event_size=limits.head)
        self._watch = Watch(service.alarms, limits, transport.taken)
        self._in = Inbound(transport, self._h11, limits, self._watch, service.load)
        self._out = Outbound(transport, self._h11, service.date, self._watch)
        self._request: Request | None = None
        self.opened = trio.current_time()  # on Trio's clock
        self.began = 0.0  # when the head was complete, on Trio's clock
        self._count = 0  # requests so far
        self._ending = Ending.COMPLETE
        self._parting = False  # the last answer is out; the peer may still be sending

    @property
    def draining(self) -> trio.Event:
        """Set when the server has begun to stop."""
        return self._service.draining

    @property
    def trailers(self) -> Headers:
        """What came after the content."""
        return self._in.trailers

    async def receive(self) -> bytes:
        """The next piece of content; a peer that waits for 100 (Continue) gets it."""
        if self._service.load.refusing and not (self._in.complete or self._out.begun):
            raise overloaded()
        if self._in.waiting:
            # Neither once content has come unasked, nor after the final head.
            if not self._in.buffer and not self._out.begun:
                await self._out.inform(100, [])
            self._in.waiting = False
        piece = await self._in.piece()
        self._service.load.add(len(piece))
        return piece

    async def inform(self, status: int, headers: Headers) -> None:
        """Send an interim response, but never to an HTTP/1.0 peer."""
        if self._request is not None and self._request.version != "1.0":
            self._in.tell()
            await self._out.inform(status, headers.raw)

    def limit(self, seconds: float | None) -> None:
        """Give the handler *seconds* from now."""
        self._watch.limit(seconds)

    def on_disconnect(self, choice: OnDisconnect) -> None:
        """Choose whether the handler ends when its peer leaves."""
        self._watch.on_disconnect(choice)

    def finish(self, seconds: float) -> AbstractContextManager[trio.CancelScope]:
        """Shield what is inside, for at most *seconds*."""
        return trio.CancelScope(relative_deadline=seconds, shield=True)
