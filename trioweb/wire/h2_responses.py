"""Responses: how a Response goes out on a stream (RFC 9113 section 8.3.2)."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from itertools import chain

from trioweb.message.offload import offload
from trioweb.message.response import BodyWriter, File, Response
from trioweb.rules.pseudo import Malformed, require_text
from trioweb.rules.status import bodiless
from trioweb.wire.h2_sending import Sending
from trioweb.wire.head import RawFields, check_size, fields_of, trailers_of
from trioweb.wire.pieces import write_pieces
from trioweb.wire.service import DateField

# Fields that are known to be sound, as most are: they have been sent before.
_FIELDS = 1024

# RFC 9113 8.2.2: about the connection, which HTTP/2 frames instead.
_CONNECTION = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-connection",
        b"transfer-encoding",
        b"upgrade",
    }
)


class Answer:
    """One response on its way out; its head leaves with the first of its content.

    So a writer that fails at once can still be answered with a 500.
    """

    __slots__ = ("_bare", "_date", "_declared", "_response", "_sending", "_written")

    def __init__(
        self, response: Response, sending: Sending, date: DateField, *, bare: bool
    ) -> None:
        self._response = response
        self._sending = sending
        self._date = date
        self._bare = bare
        self._declared: int | None = None
        self._written = 0  # bytes of content

    async def send(self) -> None:
        """Send all of it.

        Raises PeerGone if the stream is over, ValueError when the content is not as
        long as was declared, and whatever writing the body raises.
        """
        body = self._response.body
        if isinstance(body, bytes):
            head = self._head(len(body))
            self._count(len(body))
            self._require_all()
            data = b"" if self._bare else body
            status = self._response.status
            await self._sending.send(data, head=head, status=status, end=True)
        elif isinstance(body, File):
            with self._sending.file() as most:
                await self._send_file(body, most)
        else:
            await self._send_written(body)

    async def _send_file(self, file: File, most: Callable[[], int]) -> None:
        head: RawFields | None = self._head(file.length)
        at, end = file.offset, file.offset + (0 if self._bare else file.length)
        while at < end:
            size = min(end - at, most())
            piece = await offload(partial(file.read, at, size))
            if not piece:
                break  # the file has shrunk; this must not look like the end
            at += len(piece)
            self._count(len(piece))
            await self._write(head, piece)
            head = None
        self._require_all()
        await self._write(head, end=True)

    async def _send_written(self, writer: BodyWriter) -> None:
        if self._bare:
            await self._write(self._head(None), end=True)
            return
        await write_pieces(writer, self._send_piece)
        head = self._first()
        self._require_all()
        trailers = _checked(trailers_of(self._response))
        await self._write(head, end=True, trailers=trailers)

    async def _send_piece(self, piece: bytes) -> None:
        head = self._first()
        self._count(len(piece))
        await self._write(head, piece)

    def _first(self) -> RawFields | None:
        """The head, if it has not left yet."""
        return self._head(None) if self._sending.status is None else None

    def _head(self, length: int | None) -> RawFields:
        response = self._response
        fields = [
            line
            for line in fields_of(response, length, self._date)
            if line[0] not in _CONNECTION
        ]
        _checked(fields)
        self._declared = length
        if bodiless(response.status):
            self._declared = 0
        elif length is None or (b"content-length", b"%d" % length) not in fields:
            declared = response.headers.get("content-length")
            self._declared = length if declared is None else int(declared)
        return [(b":status", b"%d" % response.status), *fields]

    def _count(self, size: int) -> None:
        self._written += size
        if self._declared is not None and self._written > self._declared:
            raise ValueError("the content is longer than its content-length says")

    def _require_all(self) -> None:
        if self._bare or self._declared is None:
            return
        if self._written != self._declared:
            raise ValueError("the content is shorter than its content-length says")

    async def _write(
        self,
        head: RawFields | None,
        data: bytes = b"",
        *,
        end: bool = False,
        trailers: RawFields | None = None,
    ) -> None:
        status = self._response.status
        await self._sending.send(
            data, head=head, status=status, trailers=trailers, end=end
        )


def switched(response: Response, date: DateField) -> RawFields:
    """The head that gives a stream to a tunnel (RFC 8441 section 5)."""
    # What HTTP/1.1 proves by it, here the frames do.
    unfit = _CONNECTION | {b"sec-websocket-accept", b"content-length"}
    fields = fields_of(response, None, date)
    kept = [line for line in fields if line[0] not in unfit]
    return [(b":status", b"200"), *_checked(kept)]


def interim(status: int, fields: RawFields) -> RawFields:
    """The head of an interim response (RFC 9110 section 15.2)."""
    kept = [line for line in fields if line[0] not in _CONNECTION]
    return [(b":status", b"%d" % status), *_checked(kept)]


def _checked(fields: RawFields) -> RawFields:
    """The fields; ValueError for what no reader may be made to read.

    `Headers` has refused it already where it was set, unless it was put past it.
    """
    for field in fields:
        if not _sound(field):
            msg = f"header field {field[0]!r} is not one that HTTP/2 allows"
            raise ValueError(msg)
    check_size(len(b"".join(chain.from_iterable(fields))) + 4 * len(fields))
    return fields


@lru_cache(_FIELDS)
def _sound(field: tuple[bytes, bytes]) -> bool:
    try:
        require_text([field])
    except Malformed:
        return False
    return True
