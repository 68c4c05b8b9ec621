"""Topics: what the workers of one server tell each other, by name.

A message goes to everybody who has subscribed to its topic at that moment, in every
worker, the publisher's own too.  It is kept by nobody: who subscribes later, or was too
slow, does not get it.  So topics are for news (a message for a chat room, "forget what
you have cached"), and a database is for facts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self

import msgspec
import trio

# Messages that wait for one subscriber.  Beyond it the oldest is dropped: what is new
# is worth more to who is behind, and nobody else is kept waiting.
QUEUE = 256

# Bytes of one message, encoded.  It is copied to every worker; what is larger belongs
# in a database, with its key in the message.
MESSAGE_LIMIT = 64 * 1024

# Messages that one subscriber takes in a row, if they wait, before others have a turn.
# With one for each turn it would be behind as soon as two publish at once.
ROW = 64

# Turns that whoever publishes gives to subscribers whose queues are half full: what one
# does with a message, as sending it over TLS, takes a few.  Without them a burst would
# outrun those who are quick, too.
TURNS = 8

# Messages put since one was taken.  Who takes none of so many is stuck, and no turns
# are given to it: it delays nobody.
STUCK = 8

# Bytes of a topic's name in UTF-8: an address, not a message.
TOPIC_LIMIT = 255

Outward = Callable[[str, bytes], Awaitable[None]]
"""Carries a message to the other workers; waits while they are behind."""


class Subscription(AsyncIterator[Any]):
    """The messages of one topic, as they come: ``async for message in messages``.

    *missed* counts those that had to be dropped because this subscriber was behind.
    """

    def __init__(self, queue: int, until: trio.Event | None = None) -> None:
        self.missed = 0
        self._until = until
        self._waiting: deque[bytes] = deque()
        self._queue = queue
        self._row = 0
        self._come = trio.Event()
        self._late = trio.Event()
        self._untaken = 0

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:  # noqa: ANN401  # whatever was published
        """The next message; cancelling loses none."""
        if self._waiting and self._row < ROW:
            self._row += 1
            await trio.lowlevel.checkpoint_if_cancelled()
        else:
            self._row = 0
            await trio.lowlevel.checkpoint()
        while not self._waiting and not self._over:
            self._come = trio.Event()
            await self._wait()
        if self._over:
            raise StopAsyncIteration
        self._untaken = 0
        return msgspec.msgpack.decode(self._waiting.popleft())

    async def behind(self) -> None:
        """Wait until a message was dropped."""
        await self._late.wait()

    @property
    def _over(self) -> bool:
        return self._until is not None and self._until.is_set()

    async def _wait(self) -> None:
        if self._until is None:
            await self._come.wait()
            return
        async with trio.open_nursery() as waiting:
            waiting.start_soon(self._end, self._until, waiting.cancel_scope)
            await self._come.wait()
            waiting.cancel_scope.cancel(reason="a message has come")

    async def _end(self, until: trio.Event, scope: trio.CancelScope) -> None:
        await until.wait()
        scope.cancel(reason="nothing more is wanted")

    def put(self, message: bytes) -> bool:
        """Let *message* wait; drop the oldest where there is no room.

        Whether a few turns would let it take some, before it is behind.
        """
        if len(self._waiting) == self._queue:
            self._waiting.popleft()
            self.missed += 1
            self._late.set()
        self._waiting.append(message)
        self._untaken += 1
        self._come.set()
        return len(self._waiting) * 2 >= self._queue and self._untaken <= STUCK


class Topics:
    """The topics of one worker; `Site.topics` has them."""

    def __init__(self, outward: Outward | None = None) -> None:
        self._outward = outward
        self._subscriptions: dict[str, list[Subscription]] = {}

    @contextmanager
    def subscribe(
        self, topic: str, *, queue: int = QUEUE, until: trio.Event | None = None
    ) -> Iterator[Subscription]:
        """The messages of *topic* from now on, while the block runs.

        At most *queue* of them wait; beyond that the oldest is dropped and counted.
        They end when *until* is set, as ``request.draining`` is when the server stops.
        """
        if queue < 1:
            msg = f"queue={queue} lets no message wait; give at least 1"
            raise ValueError(msg)
        subscription = Subscription(queue, until)
        self._subscriptions.setdefault(topic, []).append(subscription)
        try:
            yield subscription
        finally:
            left = self._subscriptions[topic]
            left.remove(subscription)
            if not left:
                del self._subscriptions[topic]

    async def publish(self, topic: str, message: object) -> None:
        """Send *message* to every subscriber of *topic*, in every worker.

        *message* is what msgpack can say: text, bytes, numbers, lists, mappings, a
        Struct (read back as a mapping).  TypeError for anything else, ValueError for
        more than 64 KiB, or 255 bytes of *topic*.  It waits while this worker has sent
        more than can be passed on.  Cancelled, it may have reached this worker's alone.
        """
        if len(topic.encode()) > TOPIC_LIMIT:
            msg = f"topic {topic[:20]!r}... is longer than {TOPIC_LIMIT} bytes"
            raise ValueError(msg)
        try:
            encoded = msgspec.msgpack.encode(message)
        except (TypeError, ValueError, RecursionError) as error:
            msg = f"a message for topic {topic!r} cannot be sent: {error}"
            raise TypeError(msg) from error
        if len(encoded) > MESSAGE_LIMIT:
            msg = (
                f"a message for topic {topic!r} has {len(encoded)} bytes, more than "
                f"{MESSAGE_LIMIT}; keep it in a database and send its key"
            )
            raise ValueError(msg)
        pressed = self._put(topic, encoded)
        if self._outward is not None:
            await self._outward(topic, encoded)
        await _let_take(pressed)

    async def deliver(self, topic: str, message: bytes) -> None:
        """Give an encoded *message* to the subscribers of this worker.

        They have it at once, and then a turn to take it; cancelling loses none.
        """
        await _let_take(self._put(topic, message))

    def _put(self, topic: str, message: bytes) -> bool:
        pressed = False
        for subscription in self._subscriptions.get(topic, ()):
            pressed |= subscription.put(message)
        return pressed


async def _let_take(pressed: bool) -> None:
    for _ in range(TURNS if pressed else 1):
        await trio.lowlevel.checkpoint()
