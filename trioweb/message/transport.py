"""Transport: the bytes of one connection, whatever carries them."""

from __future__ import annotations

import enum
import hashlib
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import trio


class Gone(enum.Enum):
    """How a peer left."""

    FINISHED = "the peer sends no more"  # FIN: it closed, or only half of it
    RESET = "the peer reset the connection"


Names = tuple[tuple[str, str], ...]
"""Pairs of a kind and a value, in their order: ``(("commonName", "shop"),)``."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A peer's certificate that has been verified, as far as one asks it (RFC 5280).

    *subject* and *issuer* are their attributes, *alternatives* the names that it stands
    for (``("DNS", "shop.example")``), *serial* is hexadecimal, *until* is when it
    expires, in seconds since the epoch, and *der* all of it as it came.
    """

    subject: Names
    issuer: Names
    alternatives: Names
    serial: str
    until: float
    der: bytes

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the whole, in hexadecimal: the same for this certificate only."""
        return hashlib.sha256(self.der).hexdigest()


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end.

    *host* is an IP address as text, "unix" for a Unix socket, or "memory" in tests;
    *port* is None where there is none.  Over TLS *asked* is the name that it asked for
    (SNI, RFC 6066 section 3) and *certificate* its own, if it has shown a valid one.
    """

    host: str
    port: int | None = None
    asked: str | None = None
    certificate: Certificate | None = None

    def __str__(self) -> str:
        if self.port is None:
            return self.host
        return (
            f"[{self.host}]:{self.port}"
            if ":" in self.host
            else f"{self.host}:{self.port}"
        )


class Transport(trio.abc.HalfCloseableStream):
    """A byte stream that also hears its peer leave.

    ``receive_some`` returns b"" once the peer has finished; ``receive_some`` and
    ``send_all`` raise trio.BrokenResourceError once it has reset.  ``send_all`` returns
    when the bytes are in the hands of the system, which is the back-pressure.
    """

    peer: Peer
    secure: bool = False
    sends_files: bool = False  # whether `send_file_now` is worth asking

    # Called at most once for each way of leaving, at once and from any task, whether or
    # not somebody reads or writes.  It must not block; it may cancel scopes.  A
    # transport that cannot hear without reading never calls it.
    gone: Callable[[Gone], None] | None = None

    @abstractmethod
    async def handshake(self) -> str | None:
        """Finish what precedes HTTP; the protocol agreed on by ALPN, or None.

        Cancelling it loses the connection.
        """

    def send_now(self, data: bytes) -> int:
        """Send what can be sent of *data* without waiting: how many bytes of it.

        0 also where a transport cannot tell.  It is no checkpoint.
        """
        return 0

    def send_file_now(self, source: int, at: int, size: int) -> int:
        """Send at most *size* bytes of an open file, those from *at*: how many went.

        *source* is its descriptor; the bytes need not pass through this process.  0
        where the file has ended, or cannot be sent so: reading it tells.  It waits for
        a disk perhaps, but not for the peer: trio.WouldBlock where there is no room,
        trio.BrokenResourceError once the peer has reset.  It is no checkpoint.
        """
        return 0

    @abstractmethod
    def taken(self) -> int:
        """How many bytes the peer has taken so far, of those sent; never fewer.

        Where the system does not say, those that the system has taken.
        """

    @abstractmethod
    def abort(self) -> None:
        """Break the connection off, so that the peer sees an error and not an end."""
