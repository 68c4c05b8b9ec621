"""The runtime directory: private to one server, and gone with the last of it."""

from __future__ import annotations

import fcntl
import functools
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Self

from trioweb.message.errors import SetupError

# What its directories are called, and nothing else in the place for such files is.
PREFIX = "trioweb-run-"


@contextmanager
def runtime_directory(user: int | None = None) -> Iterator[Path]:
    """A new directory (mode 0700) for as long as the block runs; SetupError if none.

    What servers of ours, or those with workers of this *user*, have left whose every
    process was killed is removed first.
    """
    with ExitStack() as held:
        try:
            sweep(Path(tempfile.gettempdir()), frozenset({os.geteuid(), user}))
            directory = _made(held)
        except OSError as error:
            msg = f"there is no place for files of a server: {error}; set TMPDIR"
            raise SetupError(msg) from error
        try:
            yield directory
        finally:
            shutil.rmtree(directory, ignore_errors=True)


def _made(held: ExitStack) -> Path:
    """A new directory, which is *held* by this process."""
    while True:
        directory = Path(tempfile.mkdtemp(prefix=PREFIX))
        hold = held.enter_context(Hold(directory))
        if hold.has(directory):
            return directory
        # Who started just then has taken it for one that was left.


@functools.cache  # a process has left nothing while it runs
def sweep(place: Path, owners: frozenset[int | None]) -> None:
    """Remove the directories in *place*, of these users, that no process holds."""
    if not shutil.rmtree.avoids_symlink_attacks:
        return
    for left in place.glob(f"{PREFIX}*"):
        with suppress(OSError):  # gone, or held, or not ours to remove
            found = left.lstat()
            if stat.S_ISDIR(found.st_mode) and found.st_uid in owners:
                _remove_unheld(left)


class Hold:
    """A process's hold on the runtime directory while the block runs.

    It ends with the process, however that ends.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        with suppress(FileNotFoundError):  # the server has ended meanwhile
            self._descriptor = _opened(self._directory)
            fcntl.flock(self._descriptor, fcntl.LOCK_SH)
        return self

    def __exit__(self, *_: object) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def has(self, directory: Path) -> bool:
        """Whether what is held is what is called *directory* now."""
        if self._descriptor is None:
            return False
        try:
            named = directory.lstat()
        except FileNotFoundError:
            return False
        return os.path.samestat(os.fstat(self._descriptor), named)

    def remove_if_last(self) -> None:
        """Remove the directory, whose supervisor is gone, unless a sibling holds it.

        Of two that come here at once at least one finds nobody: each lets go first.
        """
        self.__exit__()
        with suppress(OSError):  # removed by a sibling, or held by one
            _remove_unheld(self._directory)


def _remove_unheld(directory: Path) -> None:
    """Remove *directory*; OSError where it is not there, or somebody holds it."""
    alone = _opened(directory)
    try:
        fcntl.flock(alone, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(directory, ignore_errors=True)
    finally:
        os.close(alone)


def _opened(directory: Path) -> int:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.open(directory, flags)
