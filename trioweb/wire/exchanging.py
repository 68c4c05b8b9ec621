"""Exchanging: what a handler asks of its exchange, whichever protocol carries it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from typing import Protocol

import trio

from trioweb.message.exchange import OnDisconnect
from trioweb.rules.headers import Headers
from trioweb.wire.service import Service, overloaded
from trioweb.wire.watch import Watch


class Coming(Protocol):
    """The content of a request, as far as it has come."""

    trailers: Headers
    waiting: bool  # the peer sends it once it has been told to continue

    @property
    def complete(self) -> bool:
        """Whether all of it was taken."""

    async def piece(self) -> bytes:
        """Wait for the next piece; b"" once it is complete."""


class Going(Protocol):
    """The answer, as far as it has left."""

    @property
    def begun(self) -> bool:
        """Whether it is too late for another."""


class Exchanging(ABC):
    """The part of an Exchange that every protocol has in common."""

    _service: Service
    _watch: Watch
    _in: Coming
    _out: Going

    @property
    def draining(self) -> trio.Event:
        """Set when the server has begun to stop."""
        return self._service.draining

    @property
    def trailers(self) -> Headers:
        """What came after the content."""
        return self._in.trailers

    async def receive(self) -> bytes:
        """The next piece of content; a peer that waits for 100 (Continue) gets it."""
        if self._service.load.refusing and not (self._in.complete or self._out.begun):
            raise overloaded()
        if self._in.waiting:
            # Neither once content has come unasked, nor after the final head.
            if not (self._has_come() or self._out.begun):
                await self._bid()
            self._in.waiting = False
        piece = await self._in.piece()
        self._service.load.add(len(piece))
        return piece

    async def whole(self, limit: int) -> bytes | None:
        """The whole content, if it has come and fits; it is not waited for here."""
        await trio.lowlevel.checkpoint_if_cancelled()
        content = None if self._service.load.refusing else self._whole(limit)
        if content:
            self._service.load.add(len(content))
        return content

    def _whole(self, limit: int) -> bytes | None:
        """That, where a protocol can tell; None leaves it to the pieces."""
        return None

    @abstractmethod
    def _has_come(self) -> bool:
        """Whether content has come already."""

    @abstractmethod
    async def _bid(self) -> None:
        """Tell the peer to continue."""

    def limit(self, seconds: float | None) -> None:
        """Give the handler *seconds* from now."""
        self._watch.limit(seconds)

    def on_disconnect(self, choice: OnDisconnect) -> None:
        """Choose whether the handler ends when its peer leaves."""
        self._watch.on_disconnect(choice)

    def finish(self, seconds: float) -> AbstractContextManager[trio.CancelScope]:
        """Shield what is inside, for at most *seconds*."""
        return trio.CancelScope(relative_deadline=seconds, shield=True)
