"""Names of Unix sockets: claimed with the right mode from the start, given up if ours.

A socket is bound under a name of its own beside the one asked for, made 0660, begins to
listen, and only then takes the name over: nobody can ever connect to it with a wider
mode, and at no moment is the name without a server.
"""

from __future__ import annotations

import errno
import os
import secrets
import socket
import stat
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# Owner and group may connect: a proxy is let in by its group.  HAProxy and gunicorn
# leave it to the umask, which lets the whole machine in more often than not.
MODE = 0o660

# Bytes of a socket's name: sun_path without its last NUL (Linux; unix(7)).
_LONGEST = 107


@dataclass(frozen=True, slots=True)
class Claimed:
    """Which file a name stood for when it was claimed."""

    device: int
    inode: int


def claim(
    sock: socket.socket, path: Path, backlog: int, *, mode: int = MODE
) -> Claimed:
    """Make *sock* listen under *path* with *mode*; a dead one of that name is replaced.

    Raises OSError: EADDRINUSE if a server listens there, ENOTSOCK if something that is
    no socket (a symbolic link, too) has the name, ENAMETOOLONG, and what the system has
    to say about the directory.
    """
    _refuse_long(path)
    _refuse_living(path)
    own = path.with_name(f".{secrets.token_hex(4)}")
    _refuse_long(own)
    sock.bind(os.fspath(own))
    try:
        own.chmod(mode)  # before it listens, when every connection is refused
        sock.listen(backlog)
        found = own.lstat()
        own.replace(path)
    except OSError:
        own.unlink(missing_ok=True)
        raise
    return Claimed(found.st_dev, found.st_ino)


def release(path: Path, claimed: Claimed) -> None:
    """Remove *path* if it is still the file that was *claimed*."""
    with suppress(OSError):  # gone already, or a directory we may no longer write
        found = path.lstat()
        if (found.st_dev, found.st_ino) == (claimed.device, claimed.inode):
            path.unlink()


def _refuse_long(path: Path) -> None:
    if len(os.fsencode(path)) > _LONGEST:
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))


def _refuse_living(path: Path) -> None:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return  # free, or without its directory, as bind() will say
    if not stat.S_ISSOCK(found.st_mode):
        raise OSError(errno.ENOTSOCK, os.strerror(errno.ENOTSOCK))
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        # A full queue must not hold us: a server that does not accept is one, too.
        caller.setblocking(False)
        try:
            caller.connect(os.fspath(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return
        except BlockingIOError:
            pass
    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
