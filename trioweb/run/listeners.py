"""Listeners: the sockets a server accepts from, opened all or not at all."""

from __future__ import annotations

import errno
import os
import socket
from contextlib import ExitStack
from typing import TYPE_CHECKING
from urllib.parse import quote

from trioweb.message.errors import SetupError
from trioweb.run.binds import Bind, Inherited, Tcp, Unix, parse_bind
from trioweb.run.names import claim, release
from trioweb.run.tls.config import TLS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

# Connections the system completes and keeps for us while we are busy.  Too few cost a
# peer a second, for its SYN is dropped and sent again; the system cuts what is more
# than its own bound (net.core.somaxconn, 4096 on Linux).  uvicorn asks
# for 2048, nginx for 511.
BACKLOG = 2048

# How often a free port of the first address is tried on the second: it is taken there
# about as often as a random port is in use at all.
_ATTEMPTS = 16

# As the system takes it: host, port, and for IPv6 perhaps flow label and zone.
_Address = tuple[object, ...]


class BindError(SetupError):
    """The server cannot listen where it was told to; one line with the remedy."""


class Listener:
    """One listening socket, non-blocking, not inherited by child processes.

    *url* is where it is reached: ``http://127.0.0.1:8080``, or for a Unix socket
    ``http+unix://%2Frun%2Fapp.sock``.  *plain*: no TLS is spoken here, whatever is
    spoken elsewhere.
    """

    __slots__ = ("_release", "plain", "socket", "url")

    def __init__(
        self,
        sock: socket.socket,
        url: str,
        *,
        release: Callable[[], None] | None = None,
        plain: bool = False,
    ) -> None:
        self.socket = sock
        self.url = url
        self.plain = plain
        self._release = release

    @property
    def family(self) -> socket.AddressFamily:
        """AF_INET, AF_INET6 or AF_UNIX."""
        return socket.AddressFamily(self.socket.family)

    def close(self) -> None:
        """Stop listening, and give up the socket's name if it is still its own.

        Any number of times.
        """
        if self.socket.fileno() == -1:
            return
        # Before the close: while the socket is open no other file can have its inode.
        if self._release is not None:
            self._release()
        self.socket.close()


def open_all(binds: Sequence[str], tls: TLS) -> list[Listener]:
    """`open_listeners`, and those where *tls* redirects plain HTTP."""
    opened = open_listeners(binds)
    if not tls.on:
        return opened
    for listener in opened:
        listener.url = f"https{listener.url.removeprefix('http')}"
    with ExitStack() as failed:
        for listener in opened:
            failed.callback(listener.close)
        redirecting = open_listeners(tls.redirect)
        failed.pop_all()
    for listener in redirecting:
        listener.plain = True
    return opened + redirecting


def open_listeners(binds: Sequence[str]) -> list[Listener]:
    """Listen at every one of *binds* (see `parse_bind`), in their order.

    Raises BindError where one of them cannot be had; those opened before are closed.
    """
    with ExitStack() as opened:
        listeners: list[Listener] = []
        for text in binds:
            for listener in _open(_parse(text)):
                opened.callback(listener.close)
                listeners.append(listener)
        opened.pop_all()
        return listeners


def _parse(text: str) -> Bind:
    try:
        return parse_bind(text)
    except ValueError as error:
        raise BindError(str(error)) from error


def _open(bind: Bind) -> list[Listener]:
    match bind:
        case Tcp():
            return _open_tcp(bind)
        case Unix():
            return [_open_unix(bind)]
        case Inherited():
            return [_adopt(bind)]


def _open_tcp(bind: Tcp) -> list[Listener]:
    addresses = _addresses(bind)
    for _ in range(_ATTEMPTS - 1):
        try:
            return _open_together(addresses, bind.port)
        except _PortTaken:
            if bind.port:
                raise
    return _open_together(addresses, bind.port)


def _addresses(bind: Tcp) -> list[_Address]:
    if bind.addresses:
        return [(host, bind.port) for host in bind.addresses]
    try:
        found = socket.getaddrinfo(bind.host, bind.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        msg = f"the host {bind.host!r} is not known here; choose another with --bind"
        raise BindError(msg) from error
    # A name may stand for one address twice; keep the resolver's order.
    return list(dict.fromkeys(address for *_, address in found))


class _PortTaken(BindError):
    """The port is in use; another may be free."""


class _NoSuchAddress(BindError):
    """The machine does not have the address, or its whole family."""


def _open_together(addresses: Sequence[_Address], port: int) -> list[Listener]:
    """Every one of *addresses* on the same port; those the machine lacks left out."""
    with ExitStack() as opened:
        listeners: list[Listener] = []
        missing: _NoSuchAddress | None = None
        for host, _, *zone in addresses:
            try:
                listener = _open_address((host, port, *zone))
            except _NoSuchAddress as error:
                missing = error
                continue
            opened.callback(listener.close)
            listeners.append(listener)
            port = listener.socket.getsockname()[1]
        if missing is not None and not listeners:
            raise missing
        opened.pop_all()
        return listeners


def _open_address(address: _Address) -> Listener:
    family = socket.AF_INET6 if ":" in str(address[0]) else socket.AF_INET
    with ExitStack() as failed:
        try:
            sock = socket.socket(family, socket.SOCK_STREAM)
            failed.callback(sock.close)
            # A port whose last connections still linger (TIME_WAIT) may be had again.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                # IPv4 has its own socket, so that no peer's address is "::ffff:..."
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.bind(address)
            sock.listen(BACKLOG)
        except OSError as error:
            raise _explained(error, address) from error
        sock.setblocking(False)
        failed.pop_all()
        return Listener(sock, _url(sock))


def _explained(error: OSError, address: _Address) -> BindError:
    host, port, *_ = address
    match error.errno:
        case errno.EADDRINUSE:
            return _PortTaken(
                f"port {port} on {host} is in use; "
                "stop the other program or choose another port with --bind"
            )
        case errno.EACCES | errno.EPERM:
            return BindError(
                f"port {port} on {host} is for privileged programs; "
                "choose a port from 1024 up with --bind"
            )
        case errno.EADDRNOTAVAIL | errno.EAFNOSUPPORT:
            return _NoSuchAddress(
                f"this machine has no address {host}; choose another with --bind"
            )
    return BindError(f"cannot listen on port {port} of {host}: {error.strerror}")


def _open_unix(bind: Unix) -> Listener:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with ExitStack() as failed:
        failed.callback(sock.close)
        try:
            claimed = claim(sock, bind.path, BACKLOG)
        except OSError as error:
            raise BindError(_unix_fault(error, bind)) from error
        sock.setblocking(False)
        failed.pop_all()
        path = bind.path.absolute()  # a handler may change the working directory
        return Listener(sock, _unix_url(path), release=lambda: release(path, claimed))


def _unix_fault(error: OSError, bind: Unix) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return (
                f"a server is already listening on {bind.path}; "
                "stop it or choose another path with --bind"
            )
        case errno.ENOTSOCK:
            return (
                f"{bind.path} is there and is no socket; "
                "remove it or choose another path with --bind"
            )
        case errno.ENOENT | errno.ENOTDIR:
            return f"{bind.path.parent} is no directory; make it first"
        case errno.ENAMETOOLONG:
            return f"{bind.path} is too long for a socket; choose a shorter path"
    return f"cannot listen on {bind.path}: {error.strerror}"


def _adopt(bind: Inherited) -> Listener:
    try:
        sock = socket.socket(fileno=bind.fd)
    except OSError as error:
        raise BindError(_NOT_LISTENING.format(bind.fd)) from error
    if sock.type != socket.SOCK_STREAM or not sock.getsockopt(
        socket.SOL_SOCKET, socket.SO_ACCEPTCONN
    ):
        sock.detach()  # not ours, so not ours to close
        raise BindError(_NOT_LISTENING.format(bind.fd))
    sock.setblocking(False)
    sock.set_inheritable(False)
    is_unix = sock.family == socket.AF_UNIX
    return Listener(sock, _unix_url(sock.getsockname()) if is_unix else _url(sock))


_NOT_LISTENING = (
    "descriptor {0} is no listening stream socket; "
    "start the program with one, or choose another --bind"
)


def _url(sock: socket.socket) -> str:
    host, port, *zone = sock.getsockname()
    if sock.family == socket.AF_INET:
        return f"http://{host}:{port}"
    if zone[-1]:  # RFC 6874: with its "%" encoded
        host = f"{host}%25{socket.if_indextoname(zone[-1])}"
    return f"http://[{host}]:{port}"


def _unix_url(name: Path | str | bytes) -> str:
    return f"http+unix://{quote(os.fsencode(name), safe='')}"
