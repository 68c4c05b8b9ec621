"""The body of a request, as it comes in: whole, or piece by piece."""

from __future__ import annotations

from typing import Protocol

from trioweb.message.errors import TooLarge
from trioweb.message.exchange import Exchange

# Content a request may carry unless its route says otherwise, bytes: enough for any
# form or JSON document, little enough to hold in memory; nginx's default.
BODY_LIMIT = 1 << 20


class _Exchanging(Protocol):
    """A Request, as far as its body is concerned."""

    exchange: Exchange


class Pieces:
    """The pieces of a body in order: ``async for piece in request.stream()``.

    An object that pulls from the wire, one piece for each step, so that a handler which
    does not ask stops its peer.  Raises TooLarge (413) when more than *limit* bytes
    arrive, PeerGone if the peer leaves first.
    """

    __slots__ = ("_ahead", "_left", "_limit", "_request")

    def __init__(self, request: _Exchanging, limit: int, ahead: bytes = b"") -> None:
        # Not its exchange: kept beyond the request, that would go on to another's.
        self._request = request
        self._limit = limit
        self._left = limit
        self._ahead = ahead  # what has been read of it before

    def __aiter__(self) -> Pieces:
        return self

    async def __anext__(self) -> bytes:
        piece, self._ahead = self._ahead, b""
        piece = piece or await self._request.exchange.receive()
        if not piece:
            raise StopAsyncIteration
        self._left -= len(piece)
        if self._left < 0:
            raise too_large(self._limit)
        return piece


def too_large(limit: int) -> TooLarge:
    """The refusal of a body of more than *limit* bytes."""
    return TooLarge(f"the body is larger than the {limit} bytes taken here")
