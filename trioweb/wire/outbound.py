"""Outbound: the responses of one HTTP/1.1 connection, framed by h11.

The last byte of a response is written on the one path where everything before it has
succeeded, and never while unwinding: what was cut short cannot look complete.
"""

from __future__ import annotations

from functools import partial

import h11
import trio

from trioweb.message.errors import HTTPError, PeerGone
from trioweb.message.offload import offload
from trioweb.message.problem import problem
from trioweb.message.response import BodyWriter, File, Response
from trioweb.message.transport import Transport
from trioweb.rules.status import bodiless, reason
from trioweb.wire.limits import FILE_PIECE
from trioweb.wire.service import DateField

RawFields = list[tuple[bytes, bytes]]


class Outbound:
    """Responses on their way through h11 to the peer."""

    __slots__ = ("_date", "_h11", "_transport", "sent", "status", "unfinished")

    def __init__(
        self, transport: Transport, state: h11.Connection, date: DateField
    ) -> None:
        self._transport = transport
        self._h11 = state
        self._date = date
        self.status: int | None = None  # of the response that has begun to leave
        self.sent = 0  # bytes of it so far
        self.unfinished = False  # it has begun to leave and not ended

    def begin(self) -> None:
        """Make ready for the next exchange."""
        self.status = None
        self.sent = 0

    async def respond(self, response: Response, *, bare: bool, close: bool) -> None:
        """Write *response*; *bare*: its head alone, *close*: it is the last one.

        Raises PeerGone when nobody listens any more, h11.LocalProtocolError when the
        content is not as long as was declared, and whatever writing the body raises.
        """
        body = response.body
        if isinstance(body, bytes):
            await self._respond_bytes(response, body, bare=bare, close=close)
        elif isinstance(body, File):
            await self._respond_file(response, body, bare=bare, close=close)
        else:
            await self._respond_written(response, body, bare=bare, close=close)

    async def switch(self, fields: RawFields) -> None:
        """Write the response that ends HTTP on this connection (RFC 9110 15.2.2)."""
        self.status = 101
        await self.inform(101, fields)

    async def inform(self, status: int, fields: RawFields) -> None:
        """Write an interim response (RFC 9110 section 15.2)."""
        phrase = reason(status).encode()
        event = h11.InformationalResponse(
            status_code=status, headers=fields, reason=phrase
        )
        await self._write(self._framed(event))

    async def farewell(
        self, error: HTTPError, accept: str | None, *, bare: bool
    ) -> None:
        """Write *error* as the connection's last response, whatever state h11 is in."""
        response = problem(error, accept)
        body = response.body if isinstance(response.body, bytes) else b""
        lines = [b"HTTP/1.1 %d %b" % (error.status, reason(error.status).encode())]
        lines += [b"%b: %b" % field for field in response.headers.raw]
        lines += [
            b"content-length: %d" % len(body),
            b"date: " + self._date.now(),
            b"connection: close",
            b"\r\n",
        ]
        self.start(error.status)
        await self._write(b"\r\n".join(lines) + (b"" if bare else body))
        self.unfinished = False

    async def _respond_bytes(
        self, response: Response, body: bytes, *, bare: bool, close: bool
    ) -> None:
        head = self.head(response, len(body), close=close)
        data = b"" if bare else self._framed(h11.Data(data=body))
        end = self._framed(h11.EndOfMessage())
        self.start(response.status)
        # One write for the whole answer: one system call, one segment.
        await self._write(b"".join((head, data, end)))
        self.unfinished = False

    async def _respond_file(
        self, response: Response, file: File, *, bare: bool, close: bool
    ) -> None:
        waiting = self.head(response, file.length, close=close)
        self.start(response.status)
        at, end = file.offset, file.offset + (0 if bare else file.length)
        while at < end:
            size = min(end - at, FILE_PIECE)
            piece = await offload(partial(file.read, at, size))
            if not piece:
                break  # the file has shrunk; h11 refuses to call this the end
            at += len(piece)
            await self.write(waiting, h11.Data(data=piece))
            waiting = b""
        await self._finish(waiting)

    async def _respond_written(
        self, response: Response, writer: BodyWriter, *, bare: bool, close: bool
    ) -> None:
        pieces = _Pieces(self, response, close=close)
        if not bare:
            try:
                await writer(pieces.send)
            finally:
                pieces.open = False
        await self._finish(pieces.head())

    def head(self, response: Response, length: int | None, *, close: bool) -> bytes:
        """The head of *response*; *length* of its content in bytes, if it is known."""
        fields = list(response.headers.raw)
        if length is not None and "content-length" not in response.headers:
            if not bodiless(response.status):
                fields.append((b"content-length", b"%d" % length))
        if "date" not in response.headers:
            fields.append((b"date", self._date.now()))
        if close:
            fields.append((b"connection", b"close"))
        phrase = reason(response.status).encode()
        return self._framed(
            h11.Response(status_code=response.status, headers=fields, reason=phrase)
        )

    def start(self, status: int) -> None:
        """Note that a response begins to leave: it is this one or a cut one now."""
        self.status = status
        self.unfinished = True

    async def _finish(self, before: bytes) -> None:
        await self.write(before, h11.EndOfMessage())
        self.unfinished = False

    async def write(self, before: bytes, event: h11.Event) -> None:
        """Write *before* and *event* as it is on the wire; PeerGone if nobody is."""
        await self._write(before + self._framed(event))

    def _framed(self, event: h11.Event) -> bytes:
        return self._h11.send(event) or b""

    async def _write(self, data: bytes) -> None:
        try:
            await self._transport.send_all(data)
        except trio.BrokenResourceError as error:
            raise PeerGone from error
        self.sent += len(data)


class _Pieces:
    """The `Send` of one streamed response: open until its writer has returned."""

    __slots__ = ("_close", "_outbound", "_response", "open")

    def __init__(self, outbound: Outbound, response: Response, *, close: bool) -> None:
        self._outbound = outbound
        self._response = response
        self._close = close
        self.open = True

    def head(self) -> bytes:
        """The response's head, if it has not left yet.

        It waits for the first piece: one segment instead of two, and a writer that
        fails at once can still be answered with a 500.
        """
        if self._outbound.status is not None:
            return b""
        head = self._outbound.head(self._response, None, close=self._close)
        self._outbound.start(self._response.status)
        return head

    async def send(self, piece: bytes) -> None:
        """Write one piece; an empty one sends the head at once."""
        if not self.open:
            msg = "the response is complete; send() is for its writer alone"
            raise RuntimeError(msg)
        if isinstance(piece, str):
            msg = "send() takes bytes; give it text.encode()"
            raise TypeError(msg)
        head = self.head()
        await self._outbound.write(head, h11.Data(data=piece))
