"""Files: those that certificates are read from, and whether they have changed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import trio

from trioweb.message.offload import offload
from trioweb.run.tls.config import TLS, pairs_of

# What tells one state of a file from another; None where there is none.
_State = tuple[int, int, int] | None


class Files:
    """The files of *tls*, as they were when they were last looked at."""

    def __init__(self, tls: TLS) -> None:
        self._names = list(_names(tls))
        self._seen = self._states()

    async def changed(self) -> bool:
        """Whether one of them is another, or has been written, since the last look."""
        before = self._seen
        self._seen = await offload(self._states)
        return self._seen != before

    def _states(self) -> list[_State]:
        return [_state(name) for name in self._names]


async def tell_changes(tls: TLS, tell: Callable[[], object]) -> None:
    """Call *tell* whenever a file of *tls* has changed, until cancelled."""
    files = Files(tls)
    while True:
        await trio.sleep(tls.look)
        if await files.changed():
            tell()


def from_here(tls: TLS) -> TLS:
    """*tls* with absolute names of its files."""
    here = os.path.abspath  # Path.resolve() would follow links, which may change
    default, named = pairs_of(tls)
    return replace(
        tls,
        cert=None if default is None else here(default.cert),
        key=None if default is None else here(default.key),
        names=tuple(
            f"{each.name}={here(each.pair.cert)}:{here(each.pair.key)}"
            for each in named
        ),
        client_ca=None if tls.client_ca is None else here(tls.client_ca),
    )


def _names(tls: TLS) -> Iterator[str]:
    default, named = pairs_of(tls)
    if default is not None:
        yield from (default.cert, default.key)
    for each in named:
        yield from (each.pair.cert, each.pair.key)
    if tls.client_ca is not None:
        yield tls.client_ca


def _state(name: str) -> _State:
    try:
        found = Path(name).stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
