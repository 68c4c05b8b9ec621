"""Rooms: what one WebSocket says, many hear, in every worker and at their own pace."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Iterator
from contextlib import (
    AbstractContextManager,
    AsyncExitStack,
    contextmanager,
    suppress,
)
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

import trio

from trioweb.app.app import App
from trioweb.app.websocket.library import CLOSED
from trioweb.message.errors import SetupError
from trioweb.message.topics import TOPIC_LIMIT, Subscription

if TYPE_CHECKING:
    from trio_websocket import WebSocketConnection

Policy = Literal["disconnect", "oldest"]
"""What becomes of a member that is behind."""

# Messages that wait for one member, beside what the system keeps in its socket.  Of the
# largest it is 4 MiB, though members of one room share them.
QUEUE = 64

# The close code for who is too slow: "try again later".  1008, a violation of policy,
# tells the programs that come back by themselves that coming back is no use.
TOO_SLOW = 1013

# Seconds a member that is too slow has to take the message it is in the midst of, and
# the goodbye; as long as any close handshake may take.
GOODBYE = 5.0

_WHY = "too slow for what is said here"


class Rooms:
    """The rooms of an application, by name; a room exists while somebody is in it.

    *queue* messages wait for each member.  What becomes of one with more is *policy*:
    "disconnect" says goodbye (1013, "try again later") and closes, so that whoever is
    connected has missed nothing; "oldest" drops the oldest message, and goes on.

    Members may be in any worker: messages go by ``site.topics``, under names that begin
    with *prefix*; two Rooms of one prefix are the same rooms.
    """

    def __init__(
        self,
        app: App,
        *,
        queue: int = QUEUE,
        policy: Policy = "disconnect",
        prefix: str = "room:",
    ) -> None:
        if queue < 1:
            msg = f"queue={queue} lets no message wait; give at least 1"
            raise SetupError(msg)
        if policy not in {"disconnect", "oldest"}:
            msg = f'policy is "disconnect" or "oldest", not {policy!r}'
            raise SetupError(msg)
        self._app = app
        self._queue = queue
        self._policy = policy
        self._prefix = prefix
        self._members: Counter[str] = Counter()

    def join(self, name: str, ws: WebSocketConnection) -> Member:
        """Let *ws* hear all that is said in room *name*: ``async with rooms.join(…)``.

        It hears itself, too.  ValueError, when the block is entered, for a name of more
        than 255 bytes in UTF-8 with the prefix.
        """
        return Member(ws, self._listening(name), strict=self._policy == "disconnect")

    async def broadcast(self, name: str, message: str | bytes) -> None:
        """Send *message*, as text or as binary, to every member of room *name*.

        It waits for no member; it does wait while this worker has said more than can be
        passed on to the others.  What one task says arrives in its order.  TypeError
        for what is neither text nor bytes, ValueError for more than 64 KiB.  Cancelled,
        it may have reached this worker's members alone.
        """
        if not isinstance(message, str | bytes):
            msg = (
                f"a message is text or bytes, not {type(message).__name__}; encode "
                "what you have, as JSON for one"
            )
            raise TypeError(msg)
        await self._app.site.topics.publish(self._prefix + name, message)

    def members(self, name: str) -> int:
        """How many are in room *name* by way of this worker."""
        return self._members[name]

    @contextmanager
    def _listening(self, name: str) -> Iterator[Subscription]:
        topic = self._prefix + name
        if len(topic.encode()) > TOPIC_LIMIT:
            msg = f"{name[:20]!r}... is too long for the name of a room"
            raise ValueError(msg)
        with self._app.site.topics.subscribe(topic, queue=self._queue) as messages:
            self._members[name] += 1
            try:
                yield messages
            finally:
                self._members[name] -= 1
                if not self._members[name]:
                    del self._members[name]


class Member:
    """One WebSocket in one room, while the block of `Rooms.join` runs.

    Leaving the block lets the message that is being sent be finished, as half a frame
    would cost the connection, and drops those that wait.  A block that is cancelled is
    left at once.
    """

    def __init__(
        self,
        ws: WebSocketConnection,
        listening: AbstractContextManager[Subscription],
        *,
        strict: bool,  # whether it is to miss nothing, or to go
    ) -> None:
        self._ws = ws
        self._listening = listening
        self._strict = strict
        self._entered = AsyncExitStack()
        self._left = False
        self._busy = 0  # things under way that must be finished
        self._writing = trio.CancelScope()

    async def __aenter__(self) -> Self:
        self._messages = self._entered.enter_context(self._listening)
        tasks = await self._entered.enter_async_context(trio.open_nursery())
        self._scope = tasks.cancel_scope
        tasks.start_soon(self._write)
        if self._strict:
            tasks.start_soon(self._watch)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # The nursery is not told of *error*, which it would wrap in a group.
        self._left = True
        self._rest()
        await self._entered.aclose()

    @property
    def missed(self) -> int:
        """How many messages were dropped because it was behind."""
        return self._messages.missed

    async def _write(self) -> None:
        # Closed, it needs no more; its handler hears of that by itself.
        with self._writing, suppress(*CLOSED):
            async for message in self._messages:
                if self._strict and self.missed:
                    return
                await self._finish(self._ws.send_message(message))

    async def _watch(self) -> None:
        await self._messages.behind()
        await self._finish(self._part())

    async def _part(self) -> None:
        with trio.move_on_after(GOODBYE) as goodbye:
            await self._ws.aclose(TOO_SLOW, _WHY)
        if goodbye.cancelled_caught:
            # Its peer takes nothing at all, and nothing more will be said.
            self._writing.cancel(reason="the peer does not take its goodbye")

    async def _finish(self, act: Awaitable[None]) -> None:
        """Await what leaving must not cut short."""
        self._busy += 1
        try:
            await act
        finally:
            self._busy -= 1
            self._rest()

    def _rest(self) -> None:
        if self._left and not self._busy:
            self._scope.cancel(reason="the member has left the room")
