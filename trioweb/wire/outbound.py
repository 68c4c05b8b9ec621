"""Outbound: the responses of one HTTP/1.1 connection, framed by h11 or plainly.

The last byte of a response is written on the one path where everything before it has
succeeded, and never while unwinding: what was cut short cannot look complete.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

import h11
import trio

from trioweb.message.errors import HTTPError
from trioweb.message.problem import problem
from trioweb.message.request import Request
from trioweb.message.response import BodyWriter, File, Response
from trioweb.message.transport import Transport
from trioweb.rules.headers import parse_list
from trioweb.rules.status import bodiless, reason
from trioweb.wire.filing import around, send_file
from trioweb.wire.gate import Head
from trioweb.wire.head import RawFields, check_size, fields_of, trailers_of
from trioweb.wire.pieces import write_pieces
from trioweb.wire.plainly import Plainly, begin
from trioweb.wire.service import DateField
from trioweb.wire.watch import Watch
from trioweb.wire.writing import Writing


class Asked(Protocol):
    """The request that is answered, as far as h11 knows of it."""

    plain: Head | None  # it, where h11 does not know

    def tell(self) -> None:
        """Let h11 know."""


class Outbound(Writing):
    """Responses on their way through h11 to the peer, or past it."""

    __slots__ = ("_asked", "_date", "_h11", "_plainly", "closing")

    def __init__(
        self,
        transport: Transport,
        state: h11.Connection,
        date: DateField,
        watch: Watch,
        asked: Asked,
    ) -> None:
        super().__init__(transport, watch)
        self._asked = asked
        self._h11 = state
        self._date = date
        self.closing = False  # it has said that the connection ends with it
        self._plainly: Plainly | None = None  # frames it in place of h11

    def begin(self) -> None:
        """Make ready for the next exchange."""
        self.status = None
        self.sent = 0
        self.closing = False
        self._plainly = None

    async def respond(
        self, response: Response, *, bare: bool, last: Callable[[], bool]
    ) -> None:
        """Write *response*; *bare*: its head alone.

        *last* is asked whether the connection ends with it, once its head must say so:
        a body that is streamed may first read the rest of the request.

        Raises PeerGone when nobody listens any more, h11.LocalProtocolError when the
        content is not as long as was declared, EOFError when its file has shrunk, and
        whatever writing the body raises.
        """
        # Cancelled here, it has torn nothing: there may be another answer.
        await trio.lowlevel.checkpoint_if_cancelled()
        body = response.body
        if isinstance(body, bytes):
            await self._respond_bytes(response, body, bare=bare, last=last)
        elif isinstance(body, File):
            await self._respond_file(response, body, bare=bare, last=last)
        else:
            await self._respond_written(response, body, bare=bare, last=last)

    async def switch(self, fields: RawFields) -> None:
        """Write the response that ends HTTP on this connection (RFC 9110 15.2.2)."""
        self._start(101)
        await self.inform(101, fields)

    def switched(self) -> None:
        """Note that what came after the switch has ended as it should."""
        self._open = False

    async def inform(self, status: int, fields: RawFields) -> None:
        """Write an interim response (RFC 9110 section 15.2)."""
        await trio.lowlevel.checkpoint_if_cancelled()
        phrase = reason(status).encode()
        event = h11.InformationalResponse(
            status_code=status, headers=fields, reason=phrase
        )
        await self._write(self._framed(event))

    async def farewell(self, error: HTTPError, request: Request | None) -> None:
        """Write *error* as the connection's last response, whatever state h11 is in."""
        accept = None if request is None else request.headers.get("accept")
        bare = request is not None and request.method == "HEAD"
        response = problem(error, accept)
        body = response.body if isinstance(response.body, bytes) else b""
        lines = [b"HTTP/1.1 %d %b" % (error.status, reason(error.status).encode())]
        lines += [b"%b: %b" % field for field in response.headers.raw]
        lines += [
            b"content-length: %d" % len(body),
            b"date: " + self._date.now(),
            # Whoever says Upgrade says so here too (RFC 9110 section 7.8).
            b"connection: close"
            + (b", upgrade" if "upgrade" in error.headers else b""),
            b"\r\n",
        ]
        self._start(error.status)
        await self._write(b"\r\n".join(lines) + (b"" if bare else body))
        self._open = False

    async def _respond_bytes(
        self, response: Response, body: bytes, *, bare: bool, last: Callable[[], bool]
    ) -> None:
        head = self._head(response, len(body), close=last())
        data = b"" if bare else self._framed(h11.Data(data=body))
        end = self._framed(h11.EndOfMessage())
        self._start(response.status)
        # One write for the whole answer: one system call, one segment.
        await self._write(b"".join((head, data, end)))
        self._open = False

    async def _respond_file(
        self, response: Response, file: File, *, bare: bool, last: Callable[[], bool]
    ) -> None:
        head = self._head(response, file.length, close=last())
        if bare or not file.length:
            await self._finish(response, head)
            return
        before, after = around(self._state, file.length)
        pass_on = self._pass_on if self._transport.sends_files else None
        write = partial(self._write_part, response)
        await send_file(file, head + before, write, pass_on)
        end = after + self._framed(h11.EndOfMessage())
        if end:
            await self._write(end)
        self._open = False

    async def _respond_written(
        self,
        response: Response,
        writer: BodyWriter,
        *,
        bare: bool,
        last: Callable[[], bool],
    ) -> None:
        if bare:
            await self._finish(response, self._first(response, last))
            return
        await write_pieces(writer, partial(self._piece, response, last))
        # The head first: it decides whether there is a place for trailers.
        before = self._first(response, last)
        await self._finish(response, before, self._trailers(response))

    async def _piece(
        self, response: Response, last: Callable[[], bool], piece: bytes
    ) -> None:
        before = self._first(response, last)
        await self._write_event(response, before, h11.Data(data=piece))

    def _first(self, response: Response, last: Callable[[], bool]) -> bytes:
        """The response's head, if it has not left yet.

        It waits for the first piece: one segment instead of two, and a writer that
        fails at once can still be answered with a 500.
        """
        if self.status is not None:
            return b""
        return self._head(response, None, close=last())

    def _head(self, response: Response, length: int | None, *, close: bool) -> bytes:
        """The head of *response*; *length* of its content in bytes, if it is known."""
        fields = fields_of(response, length, self._date)
        if close:
            # One field: two that disagree are for every reader to settle by itself.
            options = response.headers.get("connection", "")
            fields = [line for line in fields if line[0] != b"connection"]
            fields.append((b"connection", _closing(options)))
        head = self._begin(response.status, fields)
        check_size(len(head))
        self.closing = close or (b"connection", b"close") in fields
        return head

    def _begin(self, status: int, fields: RawFields) -> bytes:
        phrase, asked = reason(status).encode(), self._asked.plain
        if asked is not None:
            self._require_whole()
            found = begin(b"HTTP/1.1 %d %b" % (status, phrase), fields, status, asked)
            if found is not None:
                head, self._plainly = found
                return head
            self._asked.tell()
        event = h11.Response(status_code=status, headers=fields, reason=phrase)
        return self._framed(event)

    async def _write_event(
        self, response: Response, before: bytes, event: h11.Event
    ) -> None:
        """Write *before* and *event* as it is on the wire; PeerGone if nobody is.

        They are of *response*, which begins to leave with the first of them: until then
        it can be replaced by another, after that it is this one or a cut one.
        """
        await self._write_part(response, before + self._framed(event))

    async def _write_part(self, response: Response, data: bytes) -> None:
        self._start(response.status)
        await self._write(data)

    async def _finish(
        self, response: Response, before: bytes, trailers: RawFields | None = None
    ) -> None:
        await self._write_event(
            response, before, h11.EndOfMessage(headers=trailers or [])
        )
        self._open = False

    def _trailers(self, response: Response) -> RawFields | None:
        trailers = trailers_of(response)
        # Only chunked content has a place for them (RFC 9112 section 7.1.2).
        newer = self._plainly is not None or self._h11.their_http_version == b"1.1"
        chunked = newer and not (
            "content-length" in response.headers or bodiless(response.status)
        )
        return trailers if chunked else None

    def _framed(self, event: h11.Event) -> bytes:
        self._require_whole()
        return self._state.send(event) or b""

    @property
    def _state(self) -> h11.Connection | Plainly:
        return self._plainly or self._h11


def _closing(options: str) -> bytes:
    kept = {*parse_list(options.lower())} - {"keep-alive", "close"}
    return ", ".join(["close", *sorted(kept)]).encode("latin-1")
