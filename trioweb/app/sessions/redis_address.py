"""Address: where a Redis server is and who we are to it, as a URL says it."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from trioweb.message.errors import SetupError

PORT = 6379

_FORMS = (
    "give redis://host, rediss://host (by TLS) or unix:///path; the whole form is "
    "redis://user:password@host:6379/0"
)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a Redis server is, and who we are to it.

    *path* is that of a Unix socket, and else empty.  What it prints as has neither the
    user nor the password, for it ends up in logs.
    """

    host: str
    port: int
    path: str
    database: int
    tls: ssl.SSLContext | None = field(repr=False)
    user: str | None = field(repr=False)
    password: str | None = field(repr=False)

    def __str__(self) -> str:
        if self.path:
            return f"Redis at {self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"Redis at {host}:{self.port}"


def parse_address(url: str, context: ssl.SSLContext | None) -> Address:
    """The address that *url* gives; SetupError, which does not show it, if none.

    By TLS the server's certificate is checked, by *context* where there is one.
    """
    try:
        parts = urlsplit(url)
        database = _database(parts)
        port = parts.port
    except ValueError:
        # Neither the error nor the URL: there may be a password in them.
        msg = f"RedisStore(url): this is no address; {_FORMS}"
        raise SetupError(msg) from None
    unix = parts.scheme == "unix"
    if parts.scheme not in {"redis", "rediss", "unix"} or not _placed(parts):
        msg = f"RedisStore(url): this is no address; {_FORMS}"
        raise SetupError(msg)
    if context is not None and parts.scheme != "rediss":
        msg = "RedisStore(ssl_context=...) is for rediss://, which asks for TLS"
        raise SetupError(msg)
    tls = (
        (context or ssl.create_default_context()) if parts.scheme == "rediss" else None
    )
    return Address(
        host="" if unix else parts.hostname or "",
        port=PORT if port is None else port,
        path=unquote(parts.path) if unix else "",
        database=database,
        tls=tls,
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
    )


def _placed(parts: SplitResult) -> bool:
    return bool(parts.path if parts.scheme == "unix" else parts.hostname)


def _database(parts: SplitResult) -> int:
    """The number of the database; ValueError for what is none."""
    asked = parse_qs(parts.query, keep_blank_values=True, strict_parsing=True)
    if parts.fragment or asked.keys() - {"db"}:
        raise ValueError
    number = asked.get("db", ["0"])[-1]
    if parts.scheme != "unix" and parts.path.strip("/"):
        number = parts.path.removeprefix("/")
    if not (number.isascii() and number.isdigit()):
        raise ValueError
    return int(number)
