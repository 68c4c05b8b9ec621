"""Twins: the same bytes to two connections, of which one has the lane.

Nobody can tell the two apart: not the handler by what it is asked, not its peer by what
it hears, to the byte, and not whoever reads the records.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import partial

import trio

from tests.torture import seeds
from tests.torture.ground import Still
from tests.wire.talking import FOREVER, End, logged
from trioweb.message.errors import HTTPError
from trioweb.message.exchange import Exchanged
from trioweb.message.offload import inline, runner
from trioweb.message.request import Request
from trioweb.message.response import Response, Send
from trioweb.rules.headers import Headers
from trioweb.testing.transport import MemoryTransport, memory_pair
from trioweb.wire.connection import serve
from trioweb.wire.limits import Limits
from trioweb.wire.service import Service

# Bytes between the ends: fewer than most answers have, and most heads have less.
_ROOM = 96


def twins(limits: Limits, *pieces: bytes) -> Iterator[object]:
    """What came of *pieces* with the lane, and what without."""
    for lane in (True, False):
        yield seeds.run(0, partial(_told, pieces, limits, lane=lane))


async def _told(pieces: tuple[bytes, ...], limits: Limits, *, lane: bool) -> object:
    runner.set(inline)
    witness = _Witness()
    records: list[Exchanged] = []
    service = Service(witness, limits, record=records.append, date=Still(), lane=lane)
    near, far = memory_pair(buffer=_ROOM)
    with logged() as logs, trio.fail_after(FOREVER):
        async with service.running(), trio.open_nursery() as both_ends:
            both_ends.start_soon(serve, far, service)
            both_ends.start_soon(_send, near, pieces)
            heard = await _heard(near)
            await near.aclose()
    books = [(each.status, each.received, each.sent, each.ending) for each in records]
    return heard, witness.seen, books, [log.getMessage() for log in logs]


async def _send(near: MemoryTransport, pieces: tuple[bytes, ...]) -> None:
    with contextlib.suppress(trio.BrokenResourceError, trio.ClosedResourceError):
        for piece in pieces:
            await near.send_all(piece)
            await trio.sleep(0.01)
        await near.send_eof()


async def _heard(near: MemoryTransport) -> tuple[bytes, End]:
    heard = b""
    try:
        while piece := await near.receive_some():
            heard += piece
    except trio.BrokenResourceError:
        return heard, End.RESET
    return heard, End.FIN


class _Witness:
    """Notes all that can be seen of a request, and answers by its path."""

    def __init__(self) -> None:
        self.seen: list[object] = []

    async def __call__(self, request: Request) -> Response:
        self.seen.append(
            (
                request.method,
                request.target,
                request.path,
                request.segments,
                request.version,
                request.upgrade,
                request.content_length,
                request.headers.raw,
            )
        )
        if request.path == "/unread":
            return Response(200, body=b"unread")
        if request.path == "/streamed":
            return Response(200, body=partial(self._stream, request))
        try:
            body = await request.body()
        except HTTPError as refusal:
            self.seen.append(refusal.status)
            raise
        self.seen.append((body, request.trailers.raw))
        return _answer(request.path, body)

    async def _stream(self, request: Request, send: Send) -> None:
        async for piece in request.stream():
            self.seen.append(piece)
            await send(piece)


def _answer(path: str, body: bytes) -> Response:
    match path:
        case "/none":
            return Response(204)
        case "/cookies":
            cookies = [("set-cookie", "a=1"), ("set-cookie", "b=2")]
            return Response(200, Headers(cookies), body)
        case "/text":
            return Response(200, {"content-type": "text/plain"}, "é".encode())
        case "/odd":
            # What no application can do by mistake, only by `raw`.
            return Response(200, Headers.from_wire([(b"a", b"b\r\nc: d")]), body)
        case "/failing":
            raise RuntimeError
    return Response(200, {"x-path": path}, body)
