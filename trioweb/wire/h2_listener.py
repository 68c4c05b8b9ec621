"""Listener: what the frames of a peer mean, as the library tells it."""

from __future__ import annotations

from typing import Protocol

from trioweb.wire.head import RawFields


class Listener(Protocol):
    """Who is told what a frame means; must not block."""

    def opened(self, stream: int, fields: RawFields, size: int, *, ended: bool) -> None:
        """A request has begun; *ended*: and has no content.

        Its fields have *size* bytes, as SETTINGS_MAX_HEADER_LIST_SIZE counts them.
        """

    def trailed(self, stream: int, fields: RawFields, *, ended: bool) -> None:
        """Fields have come after the content, which has *ended* if they are well."""

    def content(self, stream: int, data: bytes, size: int, *, ended: bool) -> None:
        """Content has come; with its padding it takes *size* bytes of the window."""

    def reset(self, stream: int, code: int, *, by_us: bool) -> None:
        """The stream is over before its end; *by_us*: for a fault of the peer."""

    def provoked(self) -> None:
        """A stream was reset, or answered for, because of the peer."""

    def room(self, stream: int) -> None:
        """More may be sent on *stream*; 0: perhaps on any."""

    def acknowledged(self) -> None:
        """The peer has our settings."""

    def pong(self, data: bytes) -> None:
        """A PING of ours is answered."""

    def leaving(self) -> None:
        """The peer opens no more streams."""
