"""The place where running servers are found by name, private to one user.

Each has a socket there, ``NAME.sock``: one that refuses connections is of a server that
has been killed, which no number of a process could say so surely.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import re
import socket
import stat
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from trioweb.run.listeners import BindError
from trioweb.run.names import Claimed, claim, release

log = logging.getLogger("trioweb.error")

# Only the owner may connect; the directory lets nobody else in besides.
MODE = 0o600
DIRECTORY_MODE = 0o700

# Where systemd makes a directory for each service (RuntimeDirectory=trioweb/NAME).
SERVICES = Path("/run/trioweb")

# Where users have their own directories, while they are logged in.
USERS = Path("/run/user")

# Where anybody may make one.  Not $TMPDIR, which a server and who looks for it may have
# differently.
TEMPORARY = Path("/tmp")  # noqa: S108  # what is made there, and found, is checked

# Connections that wait to be accepted.
BACKLOG = 16

# Servers of one name: the second is NAME-2.
_NAMESAKES = 100

_SUFFIX = ".sock"
_ODD = re.compile(r"[^A-Za-z0-9_.-]+")


class PlaceError(BindError):
    """There is no place where this server could be found; one line with the reason."""


def name_for(target: str) -> str:
    """What a server of *target* is called if nobody says.

    >>> name_for("/srv/web/shop.py:app")
    'shop'
    """
    stem = Path(target.partition(":")[0]).name.removesuffix(".py")
    return _ODD.sub("-", stem).strip("-.")[:40] or "server"


def own_place(environment: Mapping[str, str] = os.environ) -> Path:
    """The directory for the servers that this process starts."""
    service = Path(environment.get("RUNTIME_DIRECTORY", "").partition(":")[0])
    if service.parent == SERVICES:
        return service
    user = environment.get("XDG_RUNTIME_DIR", "")
    if Path(user).is_absolute() and Path(user).is_dir():
        return Path(user) / "trioweb"
    return TEMPORARY / f"trioweb-{os.getuid()}"


def places(environment: Mapping[str, str] = os.environ) -> list[Path]:
    """The directories in which servers of this user may be found."""
    # A server may have been started where less is known of the user than here.
    found = [own_place(environment), USERS / f"{os.getuid()}/trioweb", own_place({})]
    with suppress(OSError):  # no service of ours is there
        found += sorted(SERVICES.iterdir())
    return [each for each in dict.fromkeys(found) if _fault(each) is None]


def _fault(directory: Path) -> str | None:
    """Why a directory cannot be trusted, if so."""
    try:
        found = directory.lstat()
    except OSError as error:
        return f"{directory}: {error.strerror}"
    if not stat.S_ISDIR(found.st_mode):
        return f"{directory} is no directory; remove it"
    if found.st_uid != os.getuid():
        return f"{directory} belongs to another user"
    if stat.S_IMODE(found.st_mode) & 0o077:
        return f"{directory} is open to other users; chmod it to 700"
    return None


@dataclass(frozen=True, slots=True)
class Server:
    """A server that may run, found by its socket."""

    name: str
    socket: Path


def servers(environment: Mapping[str, str] = os.environ) -> list[Server]:
    """The servers there are, by their names; what killed ones have left is removed."""
    sockets = [
        path
        for directory in places(environment)
        for path in sorted(directory.glob(f"*{_SUFFIX}"))
    ]
    return [
        Server(path.name.removesuffix(_SUFFIX), path)
        for path in sockets
        if _answers(path)
    ]


def _answers(path: Path) -> bool:
    """Whether somebody listens at *path*; removed if surely nobody does."""
    with suppress(OSError), _locked(path.parent):
        if not stat.S_ISSOCK(path.lstat().st_mode):
            return False
        with socket.socket(socket.AF_UNIX) as caller:
            caller.setblocking(False)
            try:
                caller.connect(os.fspath(path))
            except ConnectionRefusedError:
                path.unlink()
                return False
            except BlockingIOError:  # too many ask at once, so it is there
                return True
        return True
    return False


@dataclass(frozen=True, slots=True)
class Found:
    """The name a server has, and the socket by which it is found."""

    name: str
    socket: socket.socket


@contextmanager
def findable(
    name: str | None, target: str, environment: Mapping[str, str] = os.environ
) -> Iterator[Found | None]:
    """Let a server of *target* be found while the block runs.

    A *name* that was chosen must be free (PlaceError); one that was not gets a number.
    None where there is no place for the socket, of which the log tells: a server can
    do without.
    """
    with ExitStack() as held:
        found = None
        try:
            found = held.enter_context(_found(name, target, environment))
        except PlaceError as error:
            if name is not None:
                raise
            log.warning("`trioweb ctl` will not find this server: %s", error)
        yield found


@contextmanager
def _found(
    name: str | None, target: str, environment: Mapping[str, str]
) -> Iterator[Found]:
    directory = own_place(environment)
    _make(directory)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        with _locked(directory):
            path, claimed = _claim(sock, directory, name, target)
        sock.setblocking(False)
        try:
            yield Found(path.name.removesuffix(_SUFFIX), sock)
        finally:
            release(path, claimed)


def _make(directory: Path) -> None:
    try:
        directory.mkdir(mode=DIRECTORY_MODE, exist_ok=True)
    except OSError as error:
        msg = f"{directory} cannot be made: {error.strerror}"
        raise PlaceError(msg) from error
    if fault := _fault(directory):
        raise PlaceError(fault)


def _claim(
    sock: socket.socket, directory: Path, name: str | None, target: str
) -> tuple[Path, Claimed]:
    default = name_for(target)
    names = [default, *(f"{default}-{number}" for number in range(2, _NAMESAKES))]
    for each in names if name is None else [name]:
        path = directory / f"{each}{_SUFFIX}"
        try:
            return path, claim(sock, path, BACKLOG, mode=MODE)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                continue
            msg = f"no control socket at {path}: {error.strerror}"
            raise PlaceError(msg) from error
    msg = f"a server called {name or default} runs already; choose another --name"
    raise PlaceError(msg)


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Let nobody else claim or remove a name in *directory* meanwhile."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
