"""Response: what a handler returns, and the forms its content may take."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime
from io import RawIOBase
from typing import Literal

import trio

from trioweb.rules.cookies import cookie_identity, expire_cookie, format_cookie
from trioweb.rules.headers import Headers
from trioweb.rules.status import bodiless

Send = Callable[[bytes], Awaitable[None]]
"""Writes one piece of a streamed body; returns when there is room for more."""

BodyWriter = Callable[[Send], Awaitable[None]]
"""A streamed body: a function that is handed `Send` and writes until it returns."""

Talk = Callable[[trio.abc.Stream], Awaitable[None]]
"""What happens on a connection once HTTP has stepped aside."""

SameSite = Literal["strict", "lax", "none"]


class File:
    """A body that lies in an open file: *length* bytes from *offset*.

    Whoever sends it closes it; one that is never sent closes itself when it is dropped,
    as when a layer answers with something else.
    """

    __slots__ = ("length", "offset", "source")

    def __init__(self, source: RawIOBase, offset: int, length: int) -> None:
        self.source = source
        self.offset = offset
        self.length = length

    def read(self, at: int, size: int) -> bytes:
        """At most *size* bytes from position *at* of the file; blocks."""
        self.source.seek(at)
        return self.source.read(size) or b""

    def close(self) -> None:
        """Close the file; any number of times."""
        self.source.close()

    def __del__(self) -> None:
        self.source.close()


class Response:
    """A status, header fields, and content: bytes, a function that writes, or a file.

    The wire adds Date and the framing (Content-Length, or chunked for a streamed body
    of unknown length).  With *tunnel* the wire switches protocols instead and hands the
    connection's bytes to it; *status* then only counts where the switch is refused.

    *trailers* follow a streamed body (RFC 9110 section 6.5).  They are read when its
    writer has returned, so it may set them; a peer or a framing that cannot take them
    goes without.
    """

    __slots__ = ("body", "headers", "status", "trailers", "tunnel")

    def __init__(
        self,
        status: int = 200,
        headers: Headers | Mapping[str, str] | Iterable[tuple[str, str]] = (),
        body: bytes | BodyWriter | File = b"",
        *,
        tunnel: Talk | None = None,
    ) -> None:
        if not 200 <= status <= 599:
            msg = (
                f"a Response has a status from 200 to 599, not {status}; interim "
                "responses (1xx) are sent by request.inform()"
            )
            raise ValueError(msg)
        if type(body) is not bytes:
            body = _checked(body)
        if body and bodiless(status):
            msg = f"a {status} response has no content; leave its body empty"
            raise ValueError(msg)
        self.status = status
        self.headers = headers if isinstance(headers, Headers) else Headers(headers)
        self.body = body
        self.tunnel = tunnel
        self.trailers: Headers | None = None

    def set_cookie(
        self,
        name: str,
        value: str,
        *,
        expires: datetime | None = None,
        max_age: int | None = None,
        domain: str | None = None,
        path: str | None = "/",
        secure: bool = False,
        http_only: bool = False,
        same_site: SameSite | None = None,
        partitioned: bool = False,
    ) -> None:
        """Add a Set-Cookie field (RFC 6265bis section 4.1), or replace the same one.

        *max_age* is in seconds and wins over *expires* (aware datetime); Max-Age is
        written beside Expires.  ValueError for what a browser would drop or misread: a
        bad name, value or attribute, a broken ``__Host-`` or ``__Secure-`` promise,
        more than 4096 bytes.  Other text goes in percent-encoded (urllib.parse.quote).
        """
        line = format_cookie(
            name,
            value,
            expires=expires,
            max_age=max_age,
            domain=domain,
            path=path,
            secure=secure,
            http_only=http_only,
            same_site=same_site,
            partitioned=partitioned,
            now=datetime.now(UTC).timestamp(),
        )
        self._add_cookie(line)

    def delete_cookie(
        self,
        name: str,
        *,
        domain: str | None = None,
        path: str | None = "/",
        secure: bool = False,
        http_only: bool = False,
        same_site: SameSite | None = None,
        partitioned: bool = False,
    ) -> None:
        """Tell the browser to forget a cookie; *domain* and *path* as they were set."""
        line = expire_cookie(
            name,
            domain=domain,
            path=path,
            secure=secure,
            http_only=http_only,
            same_site=same_site,
            partitioned=partitioned,
            now=datetime.now(UTC).timestamp(),
        )
        self._add_cookie(line)

    def _add_cookie(self, line: str) -> None:
        # One cookie, one line (RFC 6265bis section 4.1.1): the last word counts.
        same = cookie_identity(line)
        kept = [
            (name, value)
            for name, value in self.headers.raw
            if name != b"set-cookie" or cookie_identity(value.decode("latin-1")) != same
        ]
        self.headers.raw[:] = kept
        self.headers.add("set-cookie", line)

    def close(self) -> None:
        """Let go of an open file, where a response is replaced rather than sent."""
        if isinstance(self.body, File):
            self.body.close()

    def __repr__(self) -> str:
        return f"<Response {self.status}>"


def _checked(body: object) -> BodyWriter | File | bytes:
    """What can be a body, as one of its three forms; TypeError that says the remedy."""
    if isinstance(body, bytes | bytearray | memoryview):
        return bytes(body)
    if isinstance(body, File) or (callable(body) and not isinstance(body, type)):
        return body
    msg = (
        "a body is bytes, an async function that is handed send(), or a File, not "
        f"{type(body).__name__}; for text say trioweb.text(...), or encode it"
    )
    raise TypeError(msg)
