"""Events: what a page would hear at a URL of the application, in memory."""

from __future__ import annotations

from collections import deque
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Self

from trioweb.testing.event_parser import EventParser
from trioweb.testing.peer import BadResponse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    import httpx2

    from trioweb.testing.event_parser import Event

TYPE = "text/event-stream"

# Characters of an answer that is no stream of events, in the complaint about it.
_SHOWN = 200


class EventSource:
    """One stream of events: ``async for event in source`` until it is complete.

    A stream that is cut off raises httpx2.RemoteProtocolError, a reset one
    httpx2.ReadError.  It does not come back by itself, as a browser's does: its
    *last_event_id* and *retry* (milliseconds) say with what and after how long it
    would.  *comments* counts the comments, which pings are.
    """

    def __init__(
        self,
        response: httpx2.Response,
        pieces: AsyncIterator[bytes],
        last_event_id: str,
    ) -> None:
        self.response = response
        self._pieces = pieces
        self._parser = EventParser(last_event_id)
        self._heard: deque[Event] = deque()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        """The next event; StopAsyncIteration when the stream has ended as it should."""
        while not self._heard:
            self._heard.extend(self._parser.feed(await anext(self._pieces)))
        return self._heard.popleft()

    @property
    def last_event_id(self) -> str:
        """The id of the last event; empty before there was one."""
        return self._parser.last_event_id

    @property
    def retry(self) -> int | None:
        """After how many milliseconds to come back, if that was said."""
        return self._parser.retry

    @property
    def comments(self) -> int:
        """How many comments have come."""
        return self._parser.comments


@asynccontextmanager
async def listening(
    client: httpx2.AsyncClient,
    path: str,
    *,
    last_event_id: str,
    headers: Mapping[str, str],
) -> AsyncIterator[EventSource]:
    """Listen at *path*; see `Client.events`."""
    fields = {name.lower().encode(): value.encode() for name, value in headers.items()}
    fields.setdefault(b"accept", TYPE.encode())
    if last_event_id:
        fields[b"last-event-id"] = last_event_id.encode()
    async with client.stream("GET", path, headers=fields) as response:
        await _require_events(response)
        async with aclosing(response.aiter_bytes()) as pieces:
            yield EventSource(response, pieces, last_event_id)


async def _require_events(response: httpx2.Response) -> None:
    """Refuse what an EventSource would: another status, another type."""
    found = response.headers.get("content-type", "nothing")
    if response.status_code == 200 and found.partition(";")[0].strip().lower() == TYPE:
        return
    content = (await response.aread()).decode(errors="replace")[:_SHOWN]
    msg = f"no events, but {response.status_code} with {found}: {content}"
    raise BadResponse(msg)
