"""The exchange of HTTP/1.1: what a connection holds, and what a handler asks of it."""

from __future__ import annotations

import h11
import trio

from trioweb.message.exchange import Ending
from trioweb.message.request import Request
from trioweb.message.transport import Transport
from trioweb.rules.headers import Headers
from trioweb.wire.exchanging import Exchanging
from trioweb.wire.inbound import Inbound
from trioweb.wire.outbound import Outbound
from trioweb.wire.service import Service
from trioweb.wire.watch import Watch


class H1Exchange(Exchanging):
    """One connection, as the handler of the request at work sees it: an Exchange."""

    _in: Inbound
    _out: Outbound

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
        self._out = Outbound(transport, self._h11, service.date, self._watch, self._in)
        self.request: Request | None = None  # the one at work
        self.opened = trio.current_time()  # on Trio's clock
        self.began = 0.0  # when the head was complete, on Trio's clock
        self._count = 0  # requests so far
        self._ending = Ending.COMPLETE
        self._parting = False  # the last answer is out; the peer may still be sending

    def _has_come(self) -> bool:
        return bool(self._in.buffer)

    def _whole(self, limit: int) -> bytes | None:
        return self._in.whole(limit)

    async def _bid(self) -> None:
        await self._out.inform(100, [])

    async def inform(self, status: int, headers: Headers) -> None:
        """Send an interim response, but never to an HTTP/1.0 peer."""
        if self._out.begun:
            msg = "the answer has begun; interim responses come before it"
            raise RuntimeError(msg)
        if self.request is not None and self.request.version != "1.0":
            self._in.tell()
            await self._out.inform(status, headers.raw)
