"""HTTP/1.1: one connection, one task, one exchange at a time (RFC 9112).

The handler runs in the connection's own task: no task, channel or lock per request.
What a peer is still told when its exchange was ended, is told outside the scope that
ended it, and bounded.
"""

from __future__ import annotations

import logging
from functools import partial

import h11
import trio

from trioweb.message.errors import HTTPError, PeerGone, departed, sole
from trioweb.message.exchange import ENDED, Ending
from trioweb.message.request import Request
from trioweb.message.response import Response, Talk
from trioweb.wire.asked import request_of
from trioweb.wire.boundary import contained
from trioweb.wire.contexts import same
from trioweb.wire.gate import Head
from trioweb.wire.h1_exchange import H1Exchange
from trioweb.wire.lane import closing, whole
from trioweb.wire.record import exchanged
from trioweb.wire.service import busy, too_late
from trioweb.wire.together import MOST, TOGETHER
from trioweb.wire.tunnel import Tunnel, switching, upgrade_required
from trioweb.wire.watch import Cause, Phase

log = logging.getLogger("trioweb.error")

# Looked up once: an enumeration takes longer to find its member than to compare it.
_COMPLETE, _STOPPED = Ending.COMPLETE, Ending.STOPPED


class Connection(H1Exchange):
    """One peer's requests, answered in order; the Exchange of each while it lasts."""

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
            self._out.flush_now()
            self._end()
            if self._out.held:
                self._transport.abort()  # an end would look like that of what was asked
            self._watch.end()
            self._transport.gone = None  # or only the collector would free both
        if self._parting:
            await self._in.part()

    # The loop.

    async def _exchanges(self) -> None:  # noqa: C901, PLR0912, PLR0915
        """Answer one request after another: all that is done for each, in its order.

        What most of them need stands here rather than in functions of its own, because
        a call takes as long as ten lines; whatever is rare, or waits, is called.
        """
        service, watch, limits = self._service, self._watch, self._limits
        inbound, outbound = self._in, self._out
        idle, at_work, load = service.idle, service.at_work, service.load
        task = trio.lowlevel.current_task()
        context = task.context
        again, together = True, 0
        while again:
            head = None
            # What one request sets, the next must not see: behind a proxy it is
            # another user's.
            if inbound.buffer and together < TOGETHER and same(task.context, context):
                head = inbound.plain_head() if service.lane else None
                together += 1
            if head is None:
                together = 0
                if outbound.held:
                    watch.enter(Phase.ANSWERING)
                    await outbound.flush()
                # A task takes up its context at its next step, when Trio also clears
                # this mark: at the latest where the request had come already.
                task.context = context.copy()
                task.custom_sleep_data = self
                watch.rest(draining=service.draining.is_set())
                idle[watch] = None
                try:
                    head = await inbound.first(plain=service.lane)
                finally:
                    idle.pop(watch, None)
                if head is None and inbound.buffer and watch.cause is None:
                    head = await self._checked_head()
                if task.custom_sleep_data is self:
                    await trio.lowlevel.checkpoint()
            # One that comes as its connection ends must not begin what would be
            # cancelled.
            if head is None or watch.cause is not None:
                return
            request = request_of(head, self, self._transport, service.proxies)
            self.request = request
            self._count += 1
            self._ending = _STOPPED
            self.began = watch.begin()
            # The boundary of an exchange: a handler's exception goes no further.
            try:
                if load.refusing or len(at_work) >= limits.at_work:
                    response = busy(request)
                else:
                    at_work.add(request)
                    try:
                        response = await service.handler(request)
                    finally:
                        at_work.discard(request)
                answer, last = None, False
                # Where the scope has fired, the next checkpoint must be before the
                # answer; and what h11 has been told of, it must frame.
                if inbound.plain is not None and watch.cause is None:
                    last = self._is_last(response)
                    answer = whole(
                        response,
                        service.date.now(),
                        bare=request.method == "HEAD",
                        last=closing(inbound.plain) if last else b"",
                    )
                if answer is None:
                    await self._respond(request, response)
                    last = outbound.closing
                elif (
                    inbound.buffer
                    and inbound.complete
                    and not last
                    and service.flush.running
                    and outbound.held + len(answer) < MOST
                ):
                    if not outbound.held:
                        service.flush.soon(outbound.flush_now)
                    outbound.hold(response.status, answer)
                elif left := outbound.write_now(response.status, answer):
                    # It is at hand: a peer that has finished sending still gets it.
                    watch.enter(Phase.ANSWERING)
                    await outbound.write_rest(left)
            except BaseException as error:  # noqa: BLE001, ASYNC103
                await self._fail(request, contained(error))  # noqa: ASYNC102  # it shields
            else:
                self._ending = _COMPLETE
            if self._ending is not _COMPLETE or self._parting:
                again = False
            elif last:
                again = False
                # Who has asked for the end and has nothing more to say sends no more:
                # there is nothing to wait for.
                self._parting = not (head.closes and not head.length)
                self._parting |= bool(inbound.buffer)
            elif inbound.plain is None or not inbound.complete:
                again = await self._ready_for_next()
            self._end()

    async def _checked_head(self) -> Head | None:
        """The next head, however long it takes to come, through the gate and h11."""
        self._watch.enter(Phase.HEAD, self._limits.head_time)
        try:
            return await self._in.head()
        except HTTPError as refusal:
            if not self._count and self._in.buffer.startswith(self._others):
                self.ahead = bytes(self._in.buffer)
                return None
            self._ending = Ending.REFUSED
            await self._say_last(refusal)
            return None

    async def _respond(self, request: Request, response: Response) -> None:
        """Answer with what is not whole, or not plain."""
        self._watch.limit(None)
        try:
            if response.tunnel is not None:
                self._in.tell()
                await self._switch(request, response, response.tunnel)
                return
            if not callable(response.body):
                # It is at hand here too.
                self._watch.enter(Phase.ANSWERING)
            await self._out.respond(
                response,
                bare=request.method == "HEAD",
                last=partial(self._is_last, response),
            )
        finally:
            response.close()

    def _is_last(self, response: Response) -> bool:
        """Whether the connection cannot, or should not, carry another request."""
        return (
            self._service.draining.is_set()
            or self._service.load.pressing
            or self._count >= self._limits.requests
            or self.began - self.opened >= self._limits.age
            or (not self._in.complete and self._in.too_much_left())
            or self._in.waiting
            or (self._in.plain is not None and self._in.plain.closes)
            # Its peer is still sending what nobody wants to read.
            or (response.status == 413 and not self._in.complete)
        )

    async def _ready_for_next(self) -> bool:
        """Take what is left of the request; part from the peer if that is too much."""
        if not self._in.complete and self._watch.phase is Phase.HANDLER:
            # Its leaving no longer ends what is over.
            self._watch.enter(Phase.ANSWERING)
        plain = self._in.plain is not None
        if (plain or self._h11.our_state is h11.DONE) and await self._in.drain():
            if not plain:
                self._h11.start_next_cycle()
            return True
        self._parting = True
        return False

    async def _switch(self, request: Request, response: Response, talk: Talk) -> None:
        """Give the connection to *talk*, if the peer asked for that (RFC 9110 7.8)."""
        if request.upgrade is None or not await self._in.drain():
            await self._say_last(upgrade_required(response))
            return
        self._watch.enter(Phase.TUNNEL)
        await self._out.switch(switching(request.upgrade, response).raw)
        tunnel = Tunnel(self._transport, self._in, self._out, self._watch)
        try:
            await tunnel.give(talk)
        finally:
            if tunnel.ended:
                self._out.switched()
                self._parting = True

    # What can go wrong.

    async def _fail(self, request: Request, error: Exception) -> None:
        if departed(error):
            self._ending = Ending.GONE
            return
        fault = sole(error)
        refusal = fault if isinstance(fault, HTTPError) else None
        # Content that is malformed in the middle of the answer is the peer's doing.
        if refusal is None or (self._out.begun and not self._in.broken):
            log.error("%s %a failed", request.method, request.path, exc_info=error)
        if not self._out.begun:
            await self._say_last(refusal or HTTPError(500))
        self._ending = Ending.FAILED
        if refusal is not None and not self._out.unfinished:
            self._ending = Ending.COMPLETE

    async def _expired(self) -> None:
        """The scope has fired: by the clock, or because the peer has left."""
        if self._watch.phase is Phase.HEAD:
            self._ending = Ending.TIMEOUT
            await self._say_last(HTTPError(408, "the request did not come in time"))
        elif self._ending is Ending.STOPPED:  # in the middle of an exchange
            left = self._watch.cause is Cause.LEFT
            self._ending = Ending.GONE if left else Ending.TIMEOUT
            if not left and not self._out.begun:
                await self._say_last(too_late(self._watch.cause))

    async def _say_last(self, error: HTTPError) -> None:
        """Answer with *error* and part; a peer that does not take it goes without."""
        with trio.move_on_after(self._limits.farewell, shield=True):
            await self._out.farewell(error, self.request)
        self._parting = True

    def _end(self) -> None:
        """Close the books on the exchange at work, if there is one."""
        inbound, outbound = self._in, self._out
        if outbound.unfinished:
            self._transport.abort()  # FIN alone would look like the end of a 1.0 body
        request, record = self.request, self._service.record
        if request is not None:
            self.request = None
            request.exchange = ENDED
        if record is not None and (request is not None or outbound.status is not None):
            seconds = self._watch.now() - self.began
            record(
                exchanged(
                    request,
                    self._transport.peer,
                    inbound=inbound,
                    outbound=outbound,
                    seconds=seconds,
                    ending=self._ending,
                )
            )
        self._ending = _COMPLETE
        inbound.taken = 0
        outbound.begin()
