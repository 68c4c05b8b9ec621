"""Pool: connections to a Redis server, each for one question at a time, and bounded."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import trio
from coredis.exceptions import (
    AuthorizationError,
    NoScriptError,
    RedisError,
    ResponseError,
)

from trioweb.app.sessions.redis_address import Address
from trioweb.app.sessions.redis_breaker import Breaker
from trioweb.app.sessions.redis_link import Link, dial
from trioweb.app.sessions.redis_scripts import Script
from trioweb.app.sessions.store import StoreError

Reply = list[object]

# Connections at once, for each worker.  A server that answers within a millisecond so
# answers 32 000 questions a second, which is more than one event loop can ask.
CONNECTIONS = 32

# Questions that wait for one of them.  A hundred are answered in a few milliseconds;
# where more gather they would wait in vain.
WAITERS = 100

# Seconds for an answer, with everything.  A little less than the layer's own limit (see
# store.LIMIT), so that it is we who learn that the server has not answered.
PATIENCE = 0.45

# Seconds after which a connection that nobody has used is closed.  Firewalls forget
# connections without a word, the impatient ones after some minutes.
UNUSED = 60.0

# Characters of what a server says about an error that are put into a log.
_SAID = 200


class Refused(StoreError):
    """The server has answered, and that it will not do it."""


class Rejected(Refused):
    """The server will not have us: for want of a password, a right or a database."""


@dataclass(slots=True)
class _Resting:
    """A connection that nobody uses, and since when (the event loop's time)."""

    link: Link
    since: float


class Pool:
    """Connections to the server at *address*, at most CONNECTIONS of them.

    A connection that was left in the middle of a reply, by a fault, the time or a
    cancellation, is closed and never used again.
    """

    def __init__(self, address: Address) -> None:
        self._address = address
        self._breaker = Breaker()
        self._tokens = itertools.count()
        self._places = trio.Semaphore(CONNECTIONS)
        self._asking = 0
        # What was used last is at the end, and used next: so few are kept alive.
        self._resting: deque[_Resting] = deque()
        self._connections: trio.Nursery | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Let connections live while the block runs."""
        async with trio.open_nursery() as connections:
            self._connections = connections
            try:
                yield
            finally:
                self._connections = None
                self._resting.clear()
            connections.cancel_scope.cancel(reason="the store is closed")

    async def run(
        self, script: Script, keys: Sequence[bytes], words: Sequence[bytes]
    ) -> Reply:
        """What *script* returns for *keys* and *words*, but for its token.

        StoreError if that has not come in time or makes no sense, or the server cannot
        be asked; whether the script has run is then unknown.
        """
        if self._asking >= CONNECTIONS + WAITERS:
            raise StoreError(f"{self._asking} questions already wait")
        self._asking += 1
        try:
            answer = await self._answer(script, keys, words)
        finally:
            self._asking -= 1
        if isinstance(answer, Refused):
            raise answer
        return answer

    async def _answer(
        self, script: Script, keys: Sequence[bytes], words: Sequence[bytes]
    ) -> Reply | Refused:
        with self._breaker.asking():
            with trio.move_on_after(PATIENCE):
                async with self._places:
                    return await self._lent(script, keys, words)
            raise StoreError(f"{self._address} has not answered in {PATIENCE} s")

    async def _lent(
        self, script: Script, keys: Sequence[bytes], words: Sequence[bytes]
    ) -> Reply | Refused:
        link = self._rested() or await self._connected()
        sound = False
        try:
            answer = await self._exchange(link, script, keys, words)
            sound = True
        except RedisError as error:
            raise self._failed(error) from error
        finally:
            self._take_back(link, sound=sound)
        return answer

    async def _exchange(
        self, link: Link, script: Script, keys: Sequence[bytes], words: Sequence[bytes]
    ) -> Reply | Refused:
        token = b"%d" % next(self._tokens)
        rest: list[int | bytes] = [len(keys), *keys, token, *words]
        try:
            try:
                reply = await link.ask(b"EVALSHA", script.sha, *rest)
            except NoScriptError:  # a server that has just started
                reply = await link.ask(b"EVAL", script.source, *rest)
        except ResponseError as error:
            kind = Rejected if isinstance(error, AuthorizationError) else Refused
            return kind(f"{self._address} refuses: {_short(error)}")
        if not isinstance(reply, list) or not reply or reply[0] != token:
            raise StoreError(f"{self._address} has answered another question")
        return reply[1:]

    def _rested(self) -> Link | None:
        """A connection that is there; those that rested too long are closed."""
        while self._resting:
            latest = self._resting.pop()
            if latest.link.reusable and latest.since > trio.current_time() - UNUSED:
                return latest.link
            latest.link.invalidate("it was not used")
        return None

    async def _connected(self) -> Link:
        if self._connections is None:
            raise StoreError("the store is closed")
        try:
            link = Link(self._address, await dial(self._address))
            self._connections.start_soon(link.live)
            await link.greeted()
        except (OSError, RedisError) as error:
            raise self._failed(error) from error
        return link

    def _take_back(self, link: Link, *, sound: bool) -> None:
        now = trio.current_time()
        if sound and link.reusable:
            self._resting.append(_Resting(link, now))
        else:
            link.invalidate("it was left in the middle of a reply")
        while self._resting and self._resting[0].since < now - UNUSED:
            self._resting.popleft().link.invalidate("it was not used")

    def _failed(self, error: OSError | RedisError) -> StoreError:
        """The StoreError for *error*; whom one has left the others have, too."""
        while self._resting:
            self._resting.pop().link.invalidate("another one has failed")
        # An error in reply to our greeting.
        kind = Rejected if isinstance(error, ResponseError) else StoreError
        return kind(f"{self._address}: {_short(error)}")


def _short(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    said = " ".join(str(error).split()) or type(error).__name__
    return said[:_SAID]
