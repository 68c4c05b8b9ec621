"""Exchange: one request with its response, as the wire gives it to the application."""

from __future__ import annotations

import enum
from contextlib import AbstractContextManager
from typing import Literal, Protocol

import msgspec
import trio

from trioweb.message.transport import Peer
from trioweb.rules.headers import Headers

OnDisconnect = Literal["cancel", "finish"]
"""What becomes of the handler when its peer leaves."""


class Exchange(Protocol):
    """What a Request asks of the wire that brought it."""

    @property
    def draining(self) -> trio.Event:
        """Set when the server has begun to stop: streams should say goodbye."""

    @property
    def trailers(self) -> Headers:
        """The fields that came after the content; none until it is complete."""

    async def receive(self) -> bytes:
        """Wait for the next piece of the request's body; b"" once it is complete.

        Raises PeerGone if the peer leaves first, BadRequest if the body is malformed.
        """

    async def whole(self, limit: int) -> bytes | None:
        """The whole content, if it has all come and is no longer than *limit* bytes.

        None where `receive` must say, piece by piece; nothing is taken then.
        """

    async def inform(self, status: int, headers: Headers) -> None:
        """Send an interim (1xx) response at once (RFC 9110 section 15.2)."""

    def limit(self, seconds: float | None) -> None:
        """Give the handler *seconds* from now to return (None: any time)."""

    def on_disconnect(self, choice: OnDisconnect) -> None:
        """Choose what becomes of the handler when its peer leaves."""

    def finish(self, seconds: float) -> AbstractContextManager[trio.CancelScope]:
        """Shield what is inside from the peer's leaving, for at most *seconds*."""


class Ending(enum.Enum):
    """How an exchange ended."""

    COMPLETE = "complete"
    FAILED = "failed"  # an exception: answered with 500, or broken off visibly
    GONE = "gone"  # the peer left first
    TIMEOUT = "timeout"  # one of the server's deadlines passed
    REFUSED = "refused"  # no handler was called: the bytes were not a request
    STOPPED = "stopped"  # the server ended before the exchange did


class Exchanged(msgspec.Struct, frozen=True):
    """What is known of an exchange when it is over: for access logs and figures.

    One is made for each exchange: a frozen dataclass takes eight times as long.
    """

    method: str
    target: str
    route: str | None  # the pattern that matched
    peer: Peer
    status: int | None  # None: nothing was sent
    received: int  # bytes of request content taken by the handler or drained
    sent: int  # bytes on the wire: head, framing and content
    seconds: float  # from the head's last byte to the end
    ending: Ending
    version: str  # "1.0", "1.1"


class Ended:
    """The exchange of a Request that outlived it: every use is an error."""

    def _over(self) -> RuntimeError:
        return RuntimeError(
            "this request's exchange has ended; read what you need of its body while "
            "its handler runs"
        )

    @property
    def draining(self) -> trio.Event:
        """RuntimeError: there is nothing left to drain."""
        raise self._over()

    @property
    def trailers(self) -> Headers:
        """RuntimeError: what followed the body is gone with it."""
        raise self._over()

    async def receive(self) -> bytes:
        """RuntimeError: the body is gone."""
        raise self._over()

    async def whole(self, limit: int) -> bytes | None:
        """RuntimeError: the body is gone."""
        raise self._over()

    async def inform(self, status: int, headers: Headers) -> None:
        """RuntimeError: nobody is listening."""
        raise self._over()

    def limit(self, seconds: float | None) -> None:
        """RuntimeError: the handler has returned."""
        raise self._over()

    def on_disconnect(self, choice: OnDisconnect) -> None:
        """RuntimeError: there is no peer."""
        raise self._over()

    def finish(self, seconds: float) -> AbstractContextManager[trio.CancelScope]:
        """RuntimeError: there is nothing to shield from."""
        raise self._over()


ENDED = Ended()
