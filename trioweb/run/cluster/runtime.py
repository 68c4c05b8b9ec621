"""The runtime directory: private to one server, and gone with the last of it."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import Self

from trioweb.message.errors import SetupError


@contextmanager
def runtime_directory() -> Iterator[Path]:
    """A new directory (mode 0700) for as long as the block runs; SetupError if none."""
    try:
        directory = Path(mkdtemp(prefix="trioweb-"))
    except OSError as error:
        msg = f"there is no place for files that workers share: {error}; set TMPDIR"
        raise SetupError(msg) from error
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


class Hold:
    """A worker's hold on the runtime directory while the block runs.

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

    def remove_if_last(self) -> None:
        """Remove the directory, whose supervisor is gone, unless a sibling holds it.

        Of two that come here at once at least one finds nobody: each lets go first.
        """
        self.__exit__()
        with suppress(OSError):  # removed by a sibling, or held by one
            alone = _opened(self._directory)
            try:
                fcntl.flock(alone, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(self._directory, ignore_errors=True)
            finally:
                os.close(alone)


def _opened(directory: Path) -> int:
    return os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
