"""Opening: the file at a path, off the loop unless the system has its name at hand.

To go into a thread costs more than all else about a small file.  But where a name that
a thread has just looked up leads, the system still has in memory: it forgets names only
when memory runs out, and those used last at the end.
"""

from __future__ import annotations

import errno
import io
import os
import stat
import time
from dataclasses import dataclass
from functools import partial

import trio

from trioweb.message.errors import NotFound
from trioweb.message.offload import offload
from trioweb.message.response import File

# Seconds for which a name is surely at hand after it was looked up in a thread.
AT_HAND = 1.0

# Names remembered at once: those of a busy page, and little memory.
NAMES = 256

# A name that leads to nothing: no such file, a file where a directory should be, a name
# too long, a circle of links, a socket.  Whatever else fails is a failure of ours.
_NOTHING = frozenset(
    {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.ENXIO}
)

# A pipe must not stop the thread until somebody writes, nor a terminal become ours.
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY

# 0 where the system cannot read without waiting.
_NOWAIT: int = getattr(os, "RWF_NOWAIT", 0)

# When each name was last looked up in a thread, by the clock that never goes back.
_names: trio.lowlevel.RunVar[dict[str, float]] = trio.lowlevel.RunVar(
    "trioweb_names_at_hand"
)


@dataclass(frozen=True, slots=True)
class Opened:
    """A file that has been opened."""

    file: File
    modified: float  # seconds since the epoch


async def opened(path: str | os.PathLike[str]) -> Opened:
    """The file at *path*, whole.

    NotFound where there is none, or something that is no regular file; OSError where it
    cannot be read.  Cancelling it waits until the file has been opened.
    """
    names = _names_at_hand()
    name = os.fspath(path)
    now = time.monotonic()
    if now - names.get(name, -AT_HAND) < AT_HAND:
        await trio.lowlevel.checkpoint_if_cancelled()
        return _open(name)
    found = await offload(partial(_open, name))
    if _is_near(found.file):
        if len(names) >= NAMES:
            names.clear()
        names[name] = now
    return found


def _names_at_hand() -> dict[str, float]:
    try:
        return _names.get()
    except LookupError:
        _names.set({})
        return _names.get()


def _open(name: str) -> Opened:
    try:
        descriptor = os.open(name, _FLAGS)
    except OSError as error:
        if error.errno in _NOTHING:
            raise NotFound from error
        raise
    except ValueError as error:
        raise NotFound from error  # NUL, or half a surrogate pair: nothing is named so
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise NotFound
    source = io.FileIO(descriptor)
    return Opened(File(source, 0, status.st_size), status.st_mtime)


def _is_near(file: File) -> bool:
    """Whether *file* lies on a disk of this machine.

    To open a file of another machine, or of a program that plays file system, is to ask
    there each time, and to wait for ever where nobody answers.  What tells them is that
    they cannot read without waiting.
    """
    if not _NOWAIT:
        return False
    try:
        os.preadv(file.source.fileno(), [bytearray(1)], 0, _NOWAIT)
    except BlockingIOError:
        return True  # it can, and has it not in memory
    except OSError:
        return False
    return True
