"""Connections: those that one client in memory has opened, in the open or over TLS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trioweb.run.tls.streams import StreamTLS
from trioweb.testing.tls import PeerTLS
from trioweb.testing.transport import memory_pair

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from trioweb.message.transport import Transport
    from trioweb.run.tls.certificates import Certificates
    from trioweb.testing.transport import MemoryTransport


@dataclass(frozen=True, slots=True)
class Secrecy:
    """What TLS is spoken by: whom the client trusts, and what the server shows."""

    context: ssl.SSLContext
    certificates: Certificates


class Connections:
    """The connections that one client has opened.

    Secure ones are TLS by *secrecy*; without it they count as that, and *alpn* is the
    protocol that was agreed on.
    """

    def __init__(
        self,
        accept: Callable[[Transport], None],
        *,
        secrecy: Secrecy | None = None,
        alpn: str | None = None,
    ) -> None:
        self._accept = accept
        self._alpn = alpn
        self._open: list[MemoryTransport] = []
        self.secrecy = secrecy

    def open(self, *, secure: bool, name: str = "") -> MemoryTransport | PeerTLS:
        """Our end of a new connection; the server has the other one already.

        Over TLS *name* is what the server must show a certificate for.
        """
        ours, theirs = memory_pair(secure=secure, alpn=self._alpn if secure else None)
        self._open = [one for one in self._open if not one.closed]
        self._open.append(ours)
        if self.secrecy is None or not secure:
            self._accept(theirs)
            return ours
        self._accept(StreamTLS(theirs, self.secrecy.certificates))
        return PeerTLS(ours, self.secrecy.context, name)

    def abort(self) -> None:
        """Reset them all."""
        for transport in self._open:
            transport.abort()
        self._open.clear()
