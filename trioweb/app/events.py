"""Server-sent events: a response that goes on talking (WHATWG HTML section 9.2).

Beside the user's function runs one task, the keeper.  It pings when nothing has been
sent for long, and ends the talk when the server stops.  It does that between two
writes: one that is cut off cuts off the stream, and there is no goodbye.
"""

from __future__ import annotations

import math
import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial

import trio

from trioweb.app.answers import NOSNIFF, encoded_json
from trioweb.message.errors import PeerGone, SetupError
from trioweb.message.request import Request
from trioweb.message.response import Response, Send
from trioweb.rules.events import PING, decode_last_event_id, encode_event
from trioweb.rules.headers import Headers

# Seconds without a byte before a ping: what WHATWG HTML section 9.2.7 advises, and well
# below the 60 s after which nginx and most load balancers take a connection for dead.
QUIET = 15.0

# Milliseconds after which a browser comes back when it has lost the stream: what
# Chromium takes if nobody says anything; Firefox takes 5000.
RETRY = 3000

# The same when the server stops, at random: not before its connection, which lingers
# for 1 s, is closed, lest it comes back to this process; and not all at once.
RETURN = (1000, 3000)

# Seconds that a peer has for taking what is being written, and its goodbye, when the
# server stops: who reads at all has taken it in one, and no stop waits for the others.
PARTING = 5.0

_FIELDS = [
    (b"content-type", b"text/event-stream"),
    # Neither kept nor, by whatever compresses on the way, gathered into larger pieces.
    (b"cache-control", b"no-store, no-transform"),
    (b"x-accel-buffering", b"no"),  # nginx gathers unless it is told not to
    NOSNIFF,
]


def events(
    talk: EventTalk, *, ping: float | None = QUIET, retry: int | None = RETRY
) -> Response:
    """A stream of events for an EventSource: ``async def talk(stream)`` sends them.

    To be returned by a handler.  *talk* runs after that and owns what it opens; when it
    returns, the stream is complete, and a browser comes back for another after *retry*
    milliseconds (None: as it thinks best).  It is cancelled when its peer leaves; and
    when the server stops, between two events: the peer is sent `EventStream.goodbye`,
    and told to come back soon.

    *ping* is after how many seconds without an event a comment is sent (None: never).
    TypeError for a *talk* that cannot be called or a *retry* that is no integer,
    ValueError for a *ping* that is not above 0 and a negative *retry*.
    """
    if not callable(talk):
        msg = f"events() takes an async function that is handed a stream, not {talk!r}"
        raise TypeError(msg)
    if ping is not None and not ping > 0:
        msg = f"ping={ping!r} is no number of seconds above 0; None sends no pings"
        raise ValueError(msg)
    opening = b"" if retry is None else encode_event(retry=retry)
    return Events(talk, math.inf if ping is None else ping, opening)


class EventStream:
    """What a talk is handed: it sends events to one peer.

    *last_event_id* is the id of the last event that the peer had heard when it lost an
    earlier stream; empty if there was none.  It is whatever the peer says it is.
    """

    def __init__(self, line: _Line, last_event_id: str) -> None:
        self.last_event_id = last_event_id
        self._line = line

    async def send(
        self,
        data: object = None,
        *,
        event: str | None = None,
        id: str | int | None = None,  # noqa: A002  # the name of the field
        retry: int | None = None,
    ) -> None:
        """Send an event; wait while the peer reads slowly.

        *data* is text, of any number of lines, or anything that has a form in JSON.
        Without data the peer notes *id* and *retry* (milliseconds) and hears nothing.
        Any task of the talk may send.  Raises PeerGone when nobody listens; TypeError
        and ValueError for what cannot be sent, as an *id* of two lines.  Cancelling it
        while the peer is slow breaks off the stream.
        """
        await self._line.write(_encoded(data, event, id, retry))

    def goodbye(
        self,
        data: object = "",
        *,
        event: str | None = None,
        id: str | int | None = None,  # noqa: A002  # the name of the field
    ) -> None:
        """Choose the event that is sent last if the server stops; the newest counts.

        What it takes and raises is as in `send`.  Without one the peer is told when to
        come back, and nothing else.
        """
        self._line.goodbye = _encoded(data, event, id, None)


EventTalk = Callable[[EventStream], Awaitable[None]]
"""Sends events until it returns: ``async def talk(stream)``."""


class Events(Response):
    """A Response that cannot be written before it knows the request it answers."""

    __slots__ = ("_opening", "_ping", "_talk")

    def __init__(self, talk: EventTalk, ping: float, opening: bytes) -> None:
        super().__init__(200, Headers.from_wire([*_FIELDS]), _unanswered)
        self._talk = talk
        self._ping = ping
        self._opening = opening

    def to(self, request: Request) -> Response:
        """The Response to *request*: another one, for this may be returned again."""
        writer = partial(self._write, request)
        return Response(self.status, self.headers.copy(), writer)

    async def _write(self, request: Request, send: Send) -> None:
        draining, line = request.draining, _Line(send)
        last_event_id = decode_last_event_id(request.headers.get("last-event-id"))
        # At once, though it may be empty: the peer hears that its stream is open.
        await line.write(self._opening)
        async with trio.open_nursery() as keeping:
            talking = trio.CancelScope()
            keeper = partial(_keep, line, self._ping, draining, talking)
            keeping.start_soon(keeper, keeping)
            with talking:
                await self._talk(EventStream(line, last_event_id))
            await line.end(keeping.cancel_scope, "the talk has ended")
        if draining.is_set():
            await line.part(returning=bool(self._opening))


class _Line:
    """The way to one peer: one write at a time, and the moment of the last one."""

    def __init__(self, send: Send) -> None:
        self.goodbye = b""
        self._send = send
        self._turn = trio.Lock()
        self.sent_at = trio.current_time()

    async def write(self, piece: bytes) -> None:
        await self._begin()
        try:
            await self._send(piece)
            self.sent_at = trio.current_time()
        finally:
            self._turn.release()

    async def _begin(self) -> None:
        # Nearly always it is free; to let others run first costs more than to write.
        if self._turn.locked():
            await self._turn.acquire()
        else:
            self._turn.acquire_nowait()

    def quiet(self) -> float:
        """For how many seconds nothing was sent."""
        now = trio.current_time()
        if self._turn.locked():
            self.sent_at = now  # what waits for its peer is no silence
        return now - self.sent_at

    async def end(self, scope: trio.CancelScope, reason: str) -> None:
        """Cancel *scope* between two writes."""
        async with self._turn:
            scope.cancel(reason=reason)

    async def part(self, *, returning: bool) -> None:
        """Say goodbye, and, if *returning*, when to come back."""
        back = b""
        if returning:
            spread = random.randint(*RETURN)  # noqa: S311  # no secret: they spread out
            back = encode_event(retry=spread)
        with _parting():
            await self.write(back + self.goodbye)


async def _keep(
    line: _Line,
    ping: float,
    draining: trio.Event,
    talking: trio.CancelScope,
    keeping: trio.Nursery,
) -> None:
    """Ping when nothing was sent for *ping* seconds; end *talking* on a stop."""
    while not draining.is_set():
        with trio.move_on_after(ping - line.quiet()):
            await draining.wait()
            break
        if line.quiet() >= ping:
            line.sent_at = trio.current_time()
            # In a task of its own, so that a stop is heard meanwhile.
            keeping.start_soon(line.write, PING)
    with _parting():
        await line.end(talking, "the server stops")


@contextmanager
def _parting() -> Iterator[None]:
    """Give a peer its time for what is said at a stop; PeerGone if it takes longer."""
    with trio.move_on_after(PARTING) as waiting:
        yield
    if waiting.cancelled_caught:
        raise PeerGone


async def _unanswered(send: Send) -> None:
    raise SetupError("events() answers a request; return it from a handler of an App")


def _encoded(
    data: object,
    event: str | None,
    id: str | int | None,  # noqa: A002
    retry: int | None,
) -> bytes:
    if isinstance(data, bytes | bytearray | memoryview):
        msg = "an event is text: give data.decode(), or base64 for what is none"
        raise TypeError(msg)
    if not (data is None or isinstance(data, str)):
        data = encoded_json(data).decode()
    name = None if id is None else str(id)
    return encode_event(data, event=event, id=name, retry=retry)
