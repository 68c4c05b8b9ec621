"""Berths: the listening sockets, bound by the supervisor and kept as long as it lives.

Each slot has a socket of its own for every TCP address: the system spreads connections
over them evenly (SO_REUSEPORT), where from a shared one the worker that happens to wake
first takes nearly all.  What waits in a socket's queue waits for the slot, not for a
process: a successor finds it there.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from trioweb.run.binds import Tcp, parse_bind
from trioweb.run.cluster.placing import SHARED
from trioweb.run.listeners import BACKLOG, BindError, Listener, open_listeners
from trioweb.run.tls.config import TLS

_NO_TLS = TLS()

# Elsewhere the option exists too, but gives all connections to one of the sockets.
_SPREADS = sys.platform == "linux" and hasattr(socket, "SO_REUSEPORT")


class Berths:
    """The sockets of *size* slots at *binds*; BindError where they cannot be had.

    There are also those where *tls* redirects plain HTTP.
    """

    def __init__(self, binds: Sequence[str], size: int, tls: TLS = _NO_TLS) -> None:
        self.urls: list[str] = []
        self._own: list[Listener] = []  # one for each address that is multiplied
        self._shared: list[Listener] = []
        self._more: list[list[socket.socket]] = []  # of the slots from 1 on
        with ExitStack() as failed:
            failed.callback(self.close)
            for bind in binds:
                self._open(bind, "https" if tls.on else "http")
            for bind in tls.redirect if tls.on else ():
                self._open(bind, "http", plain=True)
            self.grow(size)
            failed.pop_all()

    @property
    def count(self) -> int:
        """How many slots have a socket of their own."""
        return 1 + len(self._more) if self._own else 0

    def of(self, number: int) -> list[socket.socket]:
        """The sockets of slot *number*, or those that are SHARED."""
        if number == SHARED:
            return [each.socket for each in self._shared]
        if number == 0:
            return [each.socket for each in self._own]
        return self._more[number - 1]

    def plain(self, number: int) -> list[int]:
        """Which of the sockets of a slot, in their order, speak no TLS."""
        listeners = self._shared if number == SHARED else self._own
        return [place for place, each in enumerate(listeners) if each.plain]

    def grow(self, size: int) -> None:
        """Have sockets for at least *size* slots; BindError, and no fewer, if not."""
        more: list[list[socket.socket]] = []
        with ExitStack() as failed:
            for _ in range(size - self.count if self._own else 0):
                more.append([])
                for listener in self._own:
                    more[-1].append(_beside(listener.socket))
                    failed.callback(more[-1][-1].close)
            # All are there, and only now: at one that listens peers wait at once, and
            # if nobody came to accept from it, they would for ever.
            for sockets in more:
                for each in sockets:
                    _listen(each)
            failed.pop_all()
        self._more += more

    def close(self) -> None:
        """Listen no more; what workers hold of it is theirs.  Any number of times."""
        for listener in self._own + self._shared:
            listener.close()
        for sockets in self._more:
            for each in sockets:
                each.close()

    def _open(self, bind: str, scheme: str, *, plain: bool = False) -> None:
        for listener in open_listeners([bind]):
            listener.url = listener.url.replace("http", scheme, 1)
            listener.plain = plain
            self._keep(listener, tcp=isinstance(parse_bind(bind), Tcp))

    def _keep(self, listener: Listener, *, tcp: bool) -> None:
        self.urls.append(listener.url)
        if not (_SPREADS and tcp):
            self._shared.append(listener)
            return
        self._own.append(listener)
        # Only now: bound with it, it would have been let in beside another server's.
        listener.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)


def _beside(first: socket.socket) -> socket.socket:
    """One more socket at the address of *first*, which does not listen yet."""
    with ExitStack() as failed, _explained():
        sock = socket.socket(first.family, socket.SOCK_STREAM)
        failed.callback(sock.close)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if first.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(first.getsockname())
        sock.setblocking(False)
        failed.pop_all()
        return sock


def _listen(sock: socket.socket) -> None:
    with _explained():
        sock.listen(BACKLOG)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        msg = f"no more sockets can be opened for more workers: {error.strerror}"
        raise BindError(msg) from error
