"""A stream: one request with its response, and the task of its handler (RFC 9113 5.1).

It is the Exchange of its request.  What goes wrong on it costs it and nothing else:
before its first byte its peer is answered, after that the stream is reset.
"""

from __future__ import annotations

import logging
import math
from contextlib import suppress

import trio

from trioweb.message.errors import HTTPError, PeerGone, departed, sole
from trioweb.message.exchange import ENDED, Ending
from trioweb.message.problem import problem
from trioweb.message.request import Request
from trioweb.message.response import Response, Talk
from trioweb.message.transport import Gone
from trioweb.rules.headers import Headers
from trioweb.wire.asked import request_on_stream
from trioweb.wire.boundary import contained
from trioweb.wire.exchanging import Exchanging
from trioweb.wire.h2_codes import Code
from trioweb.wire.h2_content import Content
from trioweb.wire.h2_head import read_head, read_trailers
from trioweb.wire.h2_link import Link
from trioweb.wire.h2_responses import Answer, interim, switched
from trioweb.wire.h2_sending import Sending
from trioweb.wire.h2_tunnel import converse
from trioweb.wire.head import RawFields
from trioweb.wire.record import exchanged
from trioweb.wire.service import too_late
from trioweb.wire.timer import Timer
from trioweb.wire.tunnel import upgrade_required
from trioweb.wire.watch import Cause, Phase, Watch

log = logging.getLogger("trioweb.error")


class Stream(Exchanging):
    """One stream of a connection, from its head until neither side needs it."""

    _in: Content
    _out: Sending

    def __init__(self, number: int, link: Link, now: float) -> None:
        self._number = number
        self._link = link
        self._service = link.service
        self._out = Sending(number, link.library, link.outgoing, link.account)
        self._in = Content(number, link.library, link.outgoing)
        self._patience: Timer | None = None  # for what the handler has left unread
        self._request: Request | None = None
        self._began = now
        self._ending = Ending.STOPPED
        self._bare = False  # its answer has no content
        self._at_work = True  # it has not been answered to the end
        self._watched = False  # ... but begun
        self._unheard = False  # its peer sends no more, on any stream
        self._refused_later = False  # with 413: its peer sends what nobody wants
        self._drop_until = math.inf  # bytes taken in all, once the handler has left

    def asked(
        self, fields: RawFields, size: int, *, ended: bool
    ) -> Request | HTTPError:
        """What its head asks, or why that is refused; Malformed if it is no head.

        *fields* have *size* bytes, as SETTINGS_MAX_HEADER_LIST_SIZE counts them.
        """
        self._bare = (b":method", b"HEAD") in fields  # whatever else is wrong with it
        service = self._service
        try:
            head = read_head(fields, size, service.limits, ended=ended)
        except HTTPError as refusal:
            self._in.begin(None, ended=ended, waiting=False)
            # Its traceback would keep the reader's frames, and all that they hold.
            return refusal.with_traceback(None)
        self._in.begin(head.length, ended=ended, waiting=head.expect is not None)
        return request_on_stream(head, self, self._link.transport, service.proxies)

    # Its task, which it may share with those that are answered before and after it.

    async def answer(self, asked: Request | HTTPError, watch: Watch) -> None:
        """Have a request answered, or say why what came is none.

        Within the scope of *watch*; then `end` it, whatever has happened.
        """
        self._watch = self._out.watch = self._in.watch = watch
        self._watched = True
        watch.new_content()
        if self._unheard:
            watch.heard(Gone.FINISHED)
        if isinstance(asked, HTTPError):
            self._ending = Ending.REFUSED
            watch.enter(Phase.ANSWERING)
            await self._say(asked)
        # A stream that was reset before its turn came is nobody's any more.
        elif not self._out.gone:
            self._request = asked
            await self._exchange(asked)

    def taken(self) -> int:
        """How far its answer has got, bytes."""
        return self._out.taken()

    @property
    def settled(self) -> bool:
        """Whether nobody has anything more to say on it, nor waits for anything."""
        return self._in.ended and self._out.ended and not self._out.gone

    async def _exchange(self, request: Request) -> None:
        """The boundary of an exchange: a handler's exception goes no further."""
        self._watch.enter(Phase.HANDLER)
        try:
            response = await self._service.answer(request)
            self._watch.limit(None)
            await self._respond(request, response)
        except BaseException as error:  # noqa: BLE001, ASYNC103  # the boundary
            await self._fail(request, contained(error))  # noqa: ASYNC102  # it shields
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
            self._refused_later = response.status == 413
            await self._send(response)
        finally:
            response.close()

    async def _send(self, response: Response) -> None:
        await Answer(response, self._out, self._service.date, bare=self._bare).send()

    async def _switch(self, request: Request, response: Response, talk: Talk) -> None:
        """Give the stream to *talk*, if the peer asked for that (RFC 8441)."""
        if request.upgrade is None:
            await self._say(upgrade_required(response))
            return
        self._watch.enter(Phase.TUNNEL)
        head = switched(response, self._service.date)
        await self._out.send(head=head, status=200)
        await converse(talk, self._in, self._out)

    # The Exchange, as the application sees it.

    def _has_come(self) -> bool:
        return self._in.begun

    async def _bid(self) -> None:
        await self._out.send(head=interim(100, []))

    async def inform(self, status: int, headers: Headers) -> None:
        """Send an interim response."""
        await trio.lowlevel.checkpoint()
        await self._out.send(head=interim(status, headers.raw))

    # What the connection tells it.  None of it blocks.

    def come(self, data: bytes, size: int, *, ended: bool) -> None:
        """Content has come; Malformed if it is not what was declared."""
        self._in.come(data, size, ended=ended)
        if self._in.ended:
            self._close_if_over()
        elif self._in.taken > self._drop_until:
            self._enough()

    def trail(self, fields: RawFields, *, ended: bool) -> None:
        """*fields* have come after the content; Malformed if they end nothing."""
        trailers = read_trailers(fields, self._service.limits)
        self._in.trail(trailers, ended=ended)
        self._close_if_over()

    def room(self) -> None:
        """More may be sent than before."""
        self._out.room()

    def reset(self, code: Code, why: str) -> None:
        """End it before its end, for what its peer did."""
        self._out.reset(code)
        self.lost(why)

    def lost(self, why: str) -> None:
        """Its peer has reset it, or is gone: end what nobody waits for."""
        self._out.lost()
        self._in.lose()
        if self._watched:
            self._watch.heard(Gone.RESET, why)
        self._close_if_over()

    def unheard(self) -> None:
        """Its peer sends no more on any stream, and may or may not still listen."""
        if not self._in.ended:
            self._in.lose()
        self._unheard = True
        if self._watched:
            self._watch.heard(Gone.FINISHED)

    # What can go wrong.

    async def _fail(self, request: Request, error: Exception) -> None:
        if departed(error):
            self._ending = Ending.GONE
            return
        refusal = fault if isinstance(fault := sole(error), HTTPError) else None
        if refusal is None or self._out.begun:
            log.error("%s %a failed", request.method, request.path, exc_info=error)
        self._ending = Ending.FAILED
        if not self._out.begun:
            await self._say(refusal or HTTPError(500))
            if refusal is not None and self._out.ended:
                self._ending = Ending.COMPLETE

    async def expire(self) -> None:
        """The scope has fired: by the clock, or because the peer has left."""
        if self._ending is not Ending.STOPPED:
            return
        left = self._watch.cause is Cause.LEFT
        self._ending = Ending.GONE if left else Ending.TIMEOUT
        if not left and not self._out.begun:
            await self._say(too_late(self._watch.cause))

    async def _say(self, error: HTTPError) -> None:
        """Answer with *error*; a peer that does not take it goes without."""
        accept = self._request.headers.get("accept") if self._request else None
        self._refused_later = error.status == 413
        with (
            suppress(PeerGone),
            trio.move_on_after(self._service.limits.farewell, shield=True),
        ):
            await self._send(problem(error, accept))

    def end(self) -> None:
        """It has been answered: close the books, and see what the peer still sends."""
        if not self._at_work:
            return
        request, self._request = self._request, None
        if request is not None:
            request.exchange = ENDED
        if not (self._out.ended or self._out.gone):
            failed = self._ending in {Ending.FAILED, Ending.TIMEOUT}
            self._out.reset(Code.INTERNAL_ERROR if failed else Code.CANCEL)
        if self._out.ended:
            self._link.account.answered()
            self._drop_content()
        else:
            self._in.lose()
        self._note(request)
        self._at_work = self._watched = False
        self._close_if_over()

    def _note(self, request: Request | None) -> None:
        """Have the exchange recorded, when the last of it is written."""
        record = self._service.record
        if record is None or (request is None and self._out.status is None):
            return
        made = exchanged(
            request,
            self._link.transport.peer,
            inbound=self._in,
            outbound=self._out,
            seconds=self._watch.now() - self._began,
            ending=self._ending,
            version="2",
        )
        self._link.outgoing.record(record, made)

    def _drop_content(self) -> None:
        """Take what the handler left, if that is not too much (section 8.1)."""
        limits = self._service.limits
        if self._in.ended:
            return
        too_much = (self._in.left or 0) > limits.unread
        if too_much or self._refused_later or self._in.waiting:
            self._enough()
            return
        self._in.drop()
        self._drop_until = self._in.taken + limits.unread
        self._patience = Timer(self._service.alarms, self._enough)
        self._patience.start(limits.linger)

    def _enough(self) -> None:
        """Ask the peer to send no more of what nobody reads: it has its answer."""
        self._out.reset(Code.NO_ERROR)
        self._in.lose()
        self._close_if_over()

    def _close_if_over(self) -> None:
        if self._at_work or not (self._out.gone or self._in.ended):
            return
        if self._patience is not None:
            self._patience.stop()
            self._patience = None
        self._link.closed(self._number)
