"""Binds: where a server listens, written as one word (``localhost:8080``)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

# Loopback is reached by either family: browsers try ::1 first, other programs never.
LOOPBACK = ("127.0.0.1", "::1")
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104  # asked for, by ":8080"

_FORMS = (
    "write localhost:8080, 8080, :8080 (every interface), 192.0.2.1:8080, [::1]:8080, "
    "unix:/path/to.sock or fd:3"
)
_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)
_HIGHEST_PORT = 65535
# A bracketed IPv6 address with an optional zone, or a name or IPv4 address.
_HOST = re.compile(r"\[([0-9A-Fa-f:.]+(?:%[\w.-]+)?)\]|([\w.-]+)")


@dataclass(frozen=True, slots=True)
class Tcp:
    """A TCP port on every address that *host* stands for; port 0: any free one.

    *host* is an address or a name; "localhost" stands for both loopback addresses and
    "" for every interface.
    """

    host: str
    port: int

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses that *host* stands for by itself; none where it is a name."""
        return {"localhost": LOOPBACK, "": EVERYWHERE}.get(self.host, ())


@dataclass(frozen=True, slots=True)
class Unix:
    """A Unix socket with a name in the file system."""

    path: Path


@dataclass(frozen=True, slots=True)
class Inherited:
    """A listening socket that was open when this program started, by its number."""

    fd: int


Bind = Tcp | Unix | Inherited


def parse_bind(text: str) -> Bind:
    """The bind that *text* stands for; ValueError that shows the forms there are.

    >>> parse_bind("8080")
    Tcp(host='localhost', port=8080)
    >>> parse_bind("[::1]:0")
    Tcp(host='::1', port=0)
    >>> parse_bind("fd:3")
    Inherited(fd=3)
    """
    kind, colon, rest = text.partition(":")
    if colon and kind == "unix":
        if not rest or "\0" in rest:
            raise _refusal(text)
        return Unix(Path(rest))
    if colon and kind == "fd":
        if not _NUMBER.fullmatch(rest):
            raise _refusal(text)
        return Inherited(int(rest))
    return _parse_tcp(text)


def _parse_tcp(text: str) -> Tcp:
    host, colon, port = text.rpartition(":")
    if not _NUMBER.fullmatch(port):
        raise _refusal(text)
    if int(port) > _HIGHEST_PORT:
        msg = f"{text!r} names port {port}; ports go from 0 to {_HIGHEST_PORT}"
        raise ValueError(msg)
    if not host:
        return Tcp("" if colon else "localhost", int(port))
    match = _HOST.fullmatch(host)
    if match is None:
        raise _refusal(text)
    name = match[1] or match[2]
    return Tcp("localhost" if name.lower() == "localhost" else name, int(port))


def _refusal(text: str) -> ValueError:
    return ValueError(f"{text!r} is no place to listen; {_FORMS}")
