"""Asking a frozen application in a test: a request without a wire, and its exchange."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager

import msgspec
import trio

from trioweb.app.app import App
from trioweb.message.exchange import OnDisconnect
from trioweb.message.handler import Handler
from trioweb.message.request import Request
from trioweb.message.response import Response
from trioweb.message.transport import Peer
from trioweb.rules.headers import Headers
from trioweb.rules.target import parse_target


class Lone:
    """An exchange with nobody at the other end: gives *content*, notes the rest."""

    def __init__(self, content: bytes = b"") -> None:
        self._content = content
        self._draining = trio.Event()
        self.seconds: list[float | None] = []
        self.choices: list[OnDisconnect] = []

    @property
    def draining(self) -> trio.Event:
        return self._draining

    @property
    def trailers(self) -> Headers:
        return Headers()

    async def whole(self, limit: int) -> bytes | None:
        return None

    async def receive(self) -> bytes:
        await trio.lowlevel.checkpoint()
        content, self._content = self._content, b""
        return content

    async def inform(self, status: int, headers: Headers) -> None:
        await trio.lowlevel.checkpoint()

    def limit(self, seconds: float | None) -> None:
        self.seconds.append(seconds)

    def on_disconnect(self, choice: OnDisconnect) -> None:
        self.choices.append(choice)

    def finish(self, seconds: float) -> AbstractContextManager[trio.CancelScope]:
        return trio.CancelScope(relative_deadline=seconds, shield=True)


def request(
    method: str,
    target: str,
    *,
    headers: Mapping[str, str] | None = None,
    content: bytes = b"",
) -> Request:
    """A request as the wire would make it."""
    return Request(
        method,
        parse_target(method, target.encode("ascii")),
        Headers(headers or {}),
        Lone(content),
        peer=Peer("memory"),
    )


async def ask(
    app: App | Handler,
    method: str,
    target: str,
    *,
    headers: Mapping[str, str] | None = None,
    content: bytes = b"",
) -> Response:
    """What *app* answers."""
    handler = app.freeze() if isinstance(app, App) else app
    return await handler(request(method, target, headers=headers, content=content))


def content(response: Response) -> bytes:
    """The body, where it is bytes."""
    assert isinstance(response.body, bytes)
    return response.body


def said(response: Response) -> str:
    """The body as text."""
    return content(response).decode()


def told(response: Response) -> object:
    """The body as JSON."""
    return msgspec.json.decode(content(response))
