"""Messages: what a WebSocket says, one by one, until it closes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from trio_websocket import WebSocketConnection


class Messages(AsyncIterator[str | bytes]):
    """The iterator that `messages` gives: an object, so that leaving it costs nothing.

    An asynchronous generator that is left in the middle waits for the collector.
    """

    __slots__ = ("_closed", "_ws")

    def __init__(
        self, ws: WebSocketConnection, closed: tuple[type[Exception], ...]
    ) -> None:
        self._ws = ws
        self._closed = closed  # what it raises then

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str | bytes:
        """The next message; cancelling loses none."""
        try:
            return await self._ws.get_message()
        except self._closed:
            raise StopAsyncIteration from None


def messages(ws: WebSocketConnection) -> Messages:
    """What *ws* says, one after the other.

    ``async for message in messages(ws):`` gives text as str, binary as bytes, and ends
    when either side closes the connection; ``ws.closed`` says why.
    """
    # Who has a WebSocket has the extra; `import trioweb` goes without.
    from trioweb.app.websocket.library import CLOSED  # noqa: PLC0415

    return Messages(ws, CLOSED)
