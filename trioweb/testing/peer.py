"""A raw peer: one connection, spoken byte by byte or message by message.

It does what a well-behaved HTTP client cannot: send what is no request, read a
response while its request is still being written, close half of the connection, break
it off in the middle.

Each exchange has an h11 connection of its own that serialises the request, and later
takes the response apart.  A response to raw bytes gets one that believes to have sent a
request; what it leaves over of the bytes received is where the next response begins.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import h11
import trio

from trioweb.message.errors import TriowebError
from trioweb.rules.headers import Headers

if TYPE_CHECKING:
    from trioweb.message.errors import Fields
    from trioweb.message.transport import Transport

# The longest response head that is read, bytes.  Above any server's own limit: it is
# there so that a test that would never end does.
HEAD_LIMIT = 1024 * 1024

# Without it h11 takes a 101 for a fault of the server.
_ANY_UPGRADE = [("connection", "upgrade"), ("upgrade", "any")]


class BadResponse(TriowebError):
    """What came is not a whole HTTP response: malformed, cut off, or nothing at all."""


@dataclass(frozen=True, slots=True)
class Interim:
    """A 1xx response that came before the final one (RFC 9110 section 15.2)."""

    status: int
    headers: Headers


class RawPeer(trio.abc.AsyncResource):
    """The other side of one connection, for tests; an async context manager.

    Its methods raise trio.BrokenResourceError once the server has reset the connection
    and trio.ClosedResourceError once this side has closed it.

    What is sent waits for the server to take it.  A body larger than what the
    connection holds (64 KiB in memory), sent to a handler that answers while it reads,
    has to be sent in one task while another reads the response.
    """

    def __init__(self, transport: Transport, *, host: str = "test") -> None:
        self.transport = transport
        self._host = host
        self._unanswered: deque[h11.Connection] = deque()
        self._writing: h11.Connection | None = None
        self._inlet = _Inlet(transport)

    async def request(
        self, method: str, target: str, *, headers: Fields = (), body: bytes = b""
    ) -> RawResponse:
        """Send a whole request and wait for the head of its response.

        Host is added where *headers* lack it, and Content-Length where there is a
        *body* or the method expects one.
        """
        fields = Headers(headers)
        if body or method in {"POST", "PUT", "PATCH"}:
            fields.setdefault("content-length", str(len(body)))
        await self._begin(method, target, fields)
        if body:
            await self.write(body)
        await self.end()
        return await self.response()

    async def begin(self, method: str, target: str, *, headers: Fields = ()) -> None:
        """Send the head of a request whose body follows by `write` and `end`.

        The body is chunked unless *headers* say its Content-Length.  May be called
        again before the response has come: the responses are in the same order.
        """
        fields = Headers(headers)
        if "content-length" not in fields:
            fields.setdefault("transfer-encoding", "chunked")
        await self._begin(method, target, fields)

    async def write(self, piece: bytes) -> None:
        """Send a piece of the request's body."""
        await self._write(h11.Data(data=piece))

    async def end(self) -> None:
        """End the request's body."""
        await self._write(h11.EndOfMessage())
        self._writing = None

    async def response(self, *, to: str = "GET") -> RawResponse:
        """Wait for the head of the next response, and what came before it.

        *to* is the method it answers, where its request was sent by `send`: a response
        to HEAD has no body.  Raises BadResponse if the server closes instead.
        """
        if not self._unanswered:
            self._unanswered.append(_assumed(to))
        # It stays in the queue until it has answered: a test that gives up waiting for
        # a response may come back for it.
        state = self._unanswered[0]
        interim: list[Interim] = []
        while True:
            event = await self._inlet.event(state)
            if not isinstance(event, h11.InformationalResponse) or _switched(event):
                break
            interim.append(Interim(event.status_code, _fields(event)))
        self._unanswered.popleft()
        if not isinstance(event, h11.Response | h11.InformationalResponse):
            msg = "the server closed the connection without a response"
            raise BadResponse(msg)
        if _switched(event):
            self._inlet.take_back(state)
        return RawResponse(self._inlet, state, event, interim)

    async def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        await self.transport.send_all(data)

    async def receive(self, max_bytes: int | None = None) -> bytes:
        """The next bytes as they are; b"" once the server has sent its last."""
        return await self._inlet.receive(max_bytes)

    async def receive_rest(self) -> bytes:
        """Every byte until the server closes the connection."""
        rest = bytearray()
        while data := await self.receive():
            rest += data
        return bytes(rest)

    async def send_eof(self) -> None:
        """Close our half: the server reads an end, and can still answer."""
        await self.transport.send_eof()

    def abort(self) -> None:
        """Reset the connection: the server sees an error, and not an end."""
        self.transport.abort()

    async def aclose(self) -> None:
        """Close the connection; any number of times."""
        await self.transport.aclose()

    async def _begin(self, method: str, target: str, fields: Headers) -> None:
        fields.setdefault("host", self._host)
        state = _machine()
        head = h11.Request(method=method, target=target, headers=list(fields.raw))
        self._unanswered.append(state)
        self._writing = state
        await self.transport.send_all(state.send(head) or b"")

    async def _write(self, event: h11.Data | h11.EndOfMessage) -> None:
        if self._writing is None:
            msg = "no request is being written: begin() one first"
            raise RuntimeError(msg)
        await self.transport.send_all(self._writing.send(event) or b"")


class RawResponse:
    """A response whose head has come; ``async for piece in response`` reads its body.

    *interim* are the 1xx responses that came before it.  A body that breaks off raises
    BadResponse, or trio.BrokenResourceError if the connection was reset: it never looks
    complete.  *trailers* are there once it has ended.
    """

    def __init__(
        self,
        inlet: _Inlet,
        state: h11.Connection,
        head: h11.Response | h11.InformationalResponse,
        interim: list[Interim],
    ) -> None:
        self.status = head.status_code
        self.headers = _fields(head)
        self.version = head.http_version.decode("ascii")
        self.interim = interim
        self.trailers = Headers()
        self._inlet = inlet
        self._state = state
        self._ended = _switched(head)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._ended:
            raise StopAsyncIteration
        event = await self._inlet.event(self._state)
        if isinstance(event, h11.Data):
            return bytes(event.data)
        if isinstance(event, h11.EndOfMessage):
            self.trailers = _fields(event)
        self._ended = True
        self._inlet.take_back(self._state)
        raise StopAsyncIteration

    async def body(self) -> bytes:
        """The whole body, or what of it has not been read yet."""
        return b"".join([piece async for piece in self])


class _Inlet:
    """What has come from the server, and whose it is."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._left = b""  # received, and not yet part of a response

    async def receive(self, max_bytes: int | None) -> bytes:
        if not self._left:
            return bytes(await self._transport.receive_some(max_bytes))
        await trio.lowlevel.checkpoint()
        end = len(self._left) if max_bytes is None else max_bytes
        taken, self._left = self._left[:end], self._left[end:]
        return taken

    async def event(self, state: h11.Connection) -> object:
        """The next event of a response; None if the end comes where one should begin.

        Raises BadResponse for what is malformed or cut off.
        """
        while True:
            try:
                event = state.next_event()
            except h11.RemoteProtocolError as error:
                raise BadResponse(str(error)) from error
            if event is not h11.NEED_DATA:
                return event
            data = await self.receive(None)
            if not data and _waiting(state):
                return None
            state.receive_data(data)

    def take_back(self, state: h11.Connection) -> None:
        """Keep what *state* was given and has no use for."""
        self._left = state.trailing_data[0]


def _machine() -> h11.Connection:
    return h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_LIMIT)


def _assumed(method: str) -> h11.Connection:
    """The state of somebody who has sent a request, its bytes thrown away."""
    state = _machine()
    fields = [("host", "test"), *_ANY_UPGRADE]
    state.send(h11.Request(method=method, target="/", headers=fields))
    state.send(h11.EndOfMessage())
    return state


def _waiting(state: h11.Connection) -> bool:
    return state.their_state is h11.SEND_RESPONSE and not state.trailing_data[0]


def _switched(event: h11.Response | h11.InformationalResponse) -> bool:
    return event.status_code == 101  # Switching Protocols


def _fields(
    event: h11.Response | h11.InformationalResponse | h11.EndOfMessage,
) -> Headers:
    raw = [(bytes(name), bytes(value)) for name, value in event.headers]
    return Headers.from_wire(raw)
