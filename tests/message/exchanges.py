"""An exchange whose body is at hand, for requests that no wire has brought."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager

import trio

from trioweb.message.exchange import OnDisconnect
from trioweb.message.request import Request
from trioweb.message.transport import Peer
from trioweb.rules.headers import Headers
from trioweb.rules.target import parse_target


class Written:
    """Gives its pieces, and writes down what it was asked."""

    def __init__(self, pieces: Iterable[bytes] = ()) -> None:
        self.pieces = list(pieces)
        self.informed: list[tuple[int, Headers]] = []
        self.stop = trio.Event()

    @property
    def draining(self) -> trio.Event:
        return self.stop

    @property
    def trailers(self) -> Headers:
        return Headers()

    async def whole(self, limit: int) -> bytes | None:
        return None

    async def receive(self) -> bytes:
        await trio.lowlevel.checkpoint()
        return self.pieces.pop(0) if self.pieces else b""

    async def inform(self, status: int, headers: Headers) -> None:
        self.informed.append((status, headers))

    def limit(self, seconds: float | None) -> None:
        raise NotImplementedError

    def on_disconnect(self, choice: OnDisconnect) -> None:
        raise NotImplementedError

    def finish(self, seconds: float) -> AbstractContextManager[trio.CancelScope]:
        return trio.CancelScope(relative_deadline=seconds, shield=True)


def request(
    target: bytes = b"/",
    *pieces: bytes,
    headers: dict[str, str] | None = None,
    scheme: str = "http",
) -> Request:
    return Request(
        "POST",
        parse_target("POST", target),
        Headers(headers or {}),
        Written(pieces),
        peer=Peer("memory"),
        scheme=scheme,
    )
