"""Pieces: the `Send` of one streamed response."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import h11
import trio

from trioweb.message.response import Response


class Writing(Protocol):
    """What carries the pieces to the peer."""

    @property
    def status(self) -> int | None:
        """That of the response that has begun to leave."""

    def head(self, response: Response, length: int | None, *, close: bool) -> bytes:
        """The head of *response*."""

    async def write(self, response: Response, before: bytes, event: h11.Event) -> None:
        """Write *before* and *event* as it is on the wire."""


class Pieces:
    """The `Send` of one streamed response: open until its writer has returned."""

    __slots__ = ("_last", "_outbound", "_response", "open")

    def __init__(
        self, outbound: Writing, response: Response, last: Callable[[], bool]
    ) -> None:
        self._outbound = outbound
        self._response = response
        self._last = last
        self.open = True

    def head(self) -> bytes:
        """The response's head, if it has not left yet.

        It waits for the first piece: one segment instead of two, and a writer that
        fails at once can still be answered with a 500.
        """
        if self._outbound.status is not None:
            return b""
        return self._outbound.head(self._response, None, close=self._last())

    async def send(self, piece: bytes) -> None:
        """Write one piece; an empty one sends the head at once."""
        if not self.open:
            msg = "the response is complete; send() is for its writer alone"
            raise RuntimeError(msg)
        if isinstance(piece, str):
            msg = "send() takes bytes; give it text.encode()"
            raise TypeError(msg)
        # Cancelled here, it has torn nothing: the writer may go on.
        await trio.lowlevel.checkpoint_if_cancelled()
        head = self.head()
        await self._outbound.write(self._response, head, h11.Data(data=piece))
