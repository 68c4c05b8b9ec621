"""HTTP/1.1: one connection, one task, one exchange at a time (RFC 9112).

The handler runs in the connection's own task: no task, channel or lock per request.
What a peer is still told when its exchange was ended, is told outside the scope that
ended it, and bounded.
"""

from __future__ import annotations

import contextlib
import logging
from contextlib import AbstractContextManager

import h11
import trio

from trioweb.message.errors import HTTPError, PeerGone, departed
from trioweb.message.exchange import ENDED, Ending, Exchanged, OnDisconnect
from trioweb.message.request import Request
from trioweb.message.response import Response, Talk
from trioweb.message.transport import Transport
from trioweb.rules.headers import Headers, parse_list
from trioweb.rules.target import Target, TargetError, parse_target
from trioweb.wire.gate import Head
from trioweb.wire.inbound import Inbound
from trioweb.wire.outbound import Outbound
from trioweb.wire.service import Service
from trioweb.wire.tunnel import Tunnel
from trioweb.wire.watch import Phase, Watch

log = logging.getLogger("trioweb.error")

# The status by which a body is refused unread.
TOO_LARGE = 413


class Connection:
    """One peer's requests, answered in order; the Exchange of each while it lasts."""

    def __init__(self, transport: Transport, service: Service) -> None:
        limits = service.limits
        self._transport = transport
        self._service = service
        self._limits = limits
        self._h11 = h11.Connection(h11.SERVER, max_incomplete_event_size=limits.head)
        self._in = Inbound(transport, self._h11, limits)
        self._out = Outbound(transport, self._h11, service.date)
        self._watch = Watch(limits.half_close)
        self._request: Request | None = None
        self._began = 0.0  # when the head was complete, on Trio's clock
        self._ending = Ending.COMPLETE

    async def serve(self) -> None:
        """Answer requests until either side is done with the connection."""
        self._transport.gone = self._watch.heard
        try:
            with self._watch.scope:
                await self._exchanges()
            if self._watch.scope.cancelled_caught:
                await self._expired()
        except PeerGone:
            self._ending = Ending.GONE
        finally:
            self._end()

    # The Exchange, as the application sees it.

    @property
    def draining(self) -> trio.Event:
        """Set when the server has begun to stop."""
        return self._service.draining

    async def receive(self) -> bytes:
        """The next piece of content; a peer that waits for 100 (Continue) gets it."""
        if self._h11.they_are_waiting_for_100_continue:
            await self._out.inform(100, [])
        return await self._in.piece()

    async def inform(self, status: int, headers: Headers) -> None:
        """Send an interim response, but never to an HTTP/1.0 peer."""
        if self._request is not None and self._request.version != "1.0":
            await self._out.inform(status, headers.raw)

    def limit(self, seconds: float | None) -> None:
        """Give the handler *seconds* from now."""
        self._watch.limit(seconds)

    def on_disconnect(self, choice: OnDisconnect) -> None:
        """Choose whether the handler ends when its peer leaves."""
        self._watch.on_disconnect(choice)

    def finish(self, seconds: float) -> AbstractContextManager[trio.CancelScope]:
        """Shield what is inside, for at most *seconds*."""
        return trio.move_on_after(seconds, shield=True)

    # The loop.

    async def _exchanges(self) -> None:
        task = trio.lowlevel.current_task()
        context = task.context
        while (request := await self._next_request()) is not None:
            # What one request sets, the next must not see: behind a proxy it is
            # another user's.  A task takes up its context at its next step.
            task.context = context.copy()
            if self._in.buffer:
                await trio.lowlevel.checkpoint()
            await self._exchange(request)
            again = self._ending is Ending.COMPLETE and await self._ready_for_next()
            self._end()
            if not again:
                break

    async def _next_request(self) -> Request | None:
        if not await self._begun():
            return None
        self._watch.enter(Phase.HEAD, self._limits.head_time)
        try:
            head = await self._in.head()
            return None if head is None else self._request_of(head)
        except HTTPError as refusal:
            self._ending = Ending.REFUSED
            await self._say_last(refusal)
            return None

    async def _begun(self) -> bool:
        """Wait for the first byte of a request; False if none comes."""
        new = self._watch.phase is Phase.NEW
        wait = self._limits.head_time if new else self._limits.idle_time
        if self.draining.is_set():
            wait = self._limits.drain_linger
        self._watch.enter(Phase.NEW if new else Phase.IDLE, wait)
        self._service.idle.add(self._watch)
        try:
            return await self._in.first_bytes()
        finally:
            self._service.idle.discard(self._watch)

    def _request_of(self, head: Head) -> Request:
        try:
            target = parse_target(head.method, head.target)
        except TargetError as error:
            raise HTTPError(400, f"the target is malformed: {error}") from error
        self._request = Request(
            head.method,
            target,
            Headers.from_wire(head.fields),
            self,
            peer=self._transport.peer,
            scheme="https" if self._transport.secure else "http",
            version=f"1.{head.minor}",
        )
        return self._request

    async def _exchange(self, request: Request) -> None:
        """The boundary of an exchange: a handler's exception goes no further."""
        self._began = trio.current_time()
        self._ending = Ending.STOPPED
        self._watch.enter(Phase.HANDLER)
        try:
            response = await self._service.handler(request)
            self._watch.limit(None)
            await self._respond(request, response)
        except Exception as error:  # noqa: BLE001  # the boundary
            await self._fail(request, error)
        else:
            self._ending = Ending.COMPLETE

    async def _respond(self, request: Request, response: Response) -> None:
        try:
            if response.tunnel is not None:
                await self._switch(request, response, response.tunnel)
                return
            if not callable(response.body):
                # The answer is at hand: a peer that has finished sending still gets it.
                self._watch.enter(Phase.ANSWERING)
            close = self._is_last(response)
            await self._out.respond(
                response, bare=request.method == "HEAD", close=close
            )
        finally:
            response.close()

    def _is_last(self, response: Response) -> bool:
        """Whether the connection cannot, or should not, carry another request."""
        return (
            self.draining.is_set()
            or self._in.too_much_left()
            or self._h11.they_are_waiting_for_100_continue
            # Its peer is still sending what nobody wants to read.
            or (response.status == TOO_LARGE and not self._in.complete)
        )

    async def _ready_for_next(self) -> bool:
        """Take what is left of the request; part from the peer if that is too much."""
        if self._watch.phase is Phase.TUNNEL:
            return False
        if await self._in.drain():
            if self._h11.our_state is h11.DONE and self._h11.their_state is h11.DONE:
                self._h11.start_next_cycle()
                return True
        await self._part()
        return False

    async def _switch(self, request: Request, response: Response, talk: Talk) -> None:
        """Give the connection to *talk*, if the peer asked for that (RFC 9110 7.8)."""
        offered = parse_list(request.headers.get("upgrade", ""))
        options = parse_list(request.headers.get("connection", "").lower())
        if not offered or "upgrade" not in options or not await self._in.drain():
            protocol = response.headers.get("upgrade")
            asked = {} if protocol is None else {"upgrade": protocol}
            await self._say_last(HTTPError(426, headers=asked))
            return
        response.headers.setdefault("upgrade", offered[0])
        response.headers["connection"] = "upgrade"
        self._watch.enter(Phase.TUNNEL)
        await self._out.switch(response.headers.raw)
        await talk(Tunnel(self._transport, bytes(self._in.buffer)))

    # What can go wrong.

    async def _fail(self, request: Request, error: Exception) -> None:
        if departed(error):
            self._ending = Ending.GONE
            return
        self._ending = Ending.FAILED
        log.error("%s %a failed", request.method, request.path, exc_info=error)
        if self._out.status is None:
            await self._say_last(HTTPError(500))

    async def _expired(self) -> None:
        """The scope has fired: by the clock, or because the peer has left."""
        if self._watch.phase is Phase.HEAD:
            self._ending = Ending.TIMEOUT
            await self._say_last(HTTPError(408, "the request did not come in time"))
        elif self._watch.phase is Phase.HANDLER and self._watch.peer_gone:
            self._ending = Ending.GONE
        elif self._watch.phase is Phase.HANDLER:
            self._ending = Ending.TIMEOUT
            if self._out.status is None:
                await self._say_last(HTTPError(503, "the answer took too long"))

    async def _say_last(self, error: HTTPError) -> None:
        """Answer with *error* and part; a peer that does not take it goes without."""
        request = self._request
        accept = None if request is None else request.headers.get("accept")
        bare = request is not None and request.method == "HEAD"
        with trio.move_on_after(self._limits.farewell, shield=True):
            await self._out.farewell(error, accept, bare=bare)
        await self._part()

    async def _part(self) -> None:
        """Finish sending, then wait for the peer to finish too.

        Closing with bytes unread would reset the connection, and the reset would eat
        an answer that the peer has not read yet (RFC 9112 section 9.6).
        """
        with (
            contextlib.suppress(trio.BrokenResourceError, PeerGone),
            trio.move_on_after(self._limits.linger),
        ):
            await self._transport.send_eof()
            await self._in.discard()

    def _end(self) -> None:
        """Close the books on the exchange at work, if there is one."""
        if self._out.unfinished:
            self._transport.abort()  # FIN alone would look like the end of a 1.0 body
        request, self._request = self._request, None
        if request is not None:
            request.exchange = ENDED
        if self._service.record is not None and (
            request is not None or self._out.status is not None
        ):
            self._service.record(self._exchanged(request))
        self._ending = Ending.COMPLETE
        self._in.taken = 0
        self._out.begin()

    def _exchanged(self, request: Request | None) -> Exchanged:
        now = trio.current_time()
        return Exchanged(
            method="" if request is None else request.method,
            target="" if request is None else _as_received(request.target),
            route=None if request is None else request.route,
            peer=self._transport.peer,
            status=self._out.status,
            received=self._in.taken,
            sent=self._out.sent,
            seconds=0.0 if request is None else now - self._began,
            ending=self._ending,
            version="1.1" if request is None else request.version,
        )


def _as_received(target: Target) -> str:
    return f"{target.raw_path}?{target.query}" if target.query else target.raw_path
