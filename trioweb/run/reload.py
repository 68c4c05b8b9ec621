"""Reloading while one writes: the source is watched, and each change told.

What then happens is the supervisor's: new workers with the new code, and the old ones
on as long as those do not start.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from importlib.util import find_spec
from pathlib import Path

import trio

from trioweb.message.errors import SetupError
from trioweb.run.cluster.signals import deferred
from trioweb.run.cluster.telling import tell

log = logging.getLogger("trioweb.error")

# What others write by themselves, beside whatever begins with a dot: .git, .venv and
# the lock files of editors.
_IGNORED = frozenset({"__pycache__", "node_modules", "site-packages"})

# What an environment made by `python -m venv` has in its directory, whatever its name.
_VENV = "pyvenv.cfg"

OnChange = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Source:
    """The *directories* of a program, and which files in them are its source.

    *patterns* are matched with the file's name and with its path from the directory:
    ``*.html``, ``templates/*``.
    """

    directories: Sequence[Path]
    patterns: Sequence[str] = ("*.py",)

    def has(self, path: Path) -> bool:
        """Whether a change of *path* is one of the program."""
        return any(
            self._matches(directory, path.relative_to(directory))
            for directory in self.directories
            if path.is_relative_to(directory)
        )

    def _matches(self, directory: Path, path: Path) -> bool:
        if any(part.startswith(".") or part in _IGNORED for part in path.parts):
            return False
        # The outermost parent is the directory itself, whose program this is.
        inner = list(path.parents)[:-1]
        if any((directory / each / _VENV).exists() for each in inner):
            return False
        names = (path.name, path.as_posix())
        return any(fnmatch(name, each) for name in names for each in self.patterns)


def source_of(target: str, patterns: Sequence[str] = ()) -> Source:
    """Where the source of *target* (see `load`) is: for a module the working directory.

    *patterns* come besides ``*.py``.  SetupError where what watches is not installed.
    """
    if find_spec("watchfiles") is None:
        msg = '--reload needs watchfiles: pip install "trioweb[reload]"'
        raise SetupError(msg)
    place = target.partition(":")[0]
    is_file = place.endswith(".py") or "/" in place
    directory = Path(place).resolve().parent if is_file else Path.cwd()
    # Compiled code is known by the second its source was changed in and by its length;
    # who saves twice in a second would get the first version from then on.
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    return Source((directory,), ("*.py", *patterns))


async def watch(source: Source, on_change: OnChange) -> None:
    """Call *on_change* once for all that changes at a time, until cancelled."""
    ending = threading.Event()

    def look() -> None:
        try:
            # Signals are the main thread's.  Only for as long: this thread is used
            # again, and what is started from it begins with what it holds back.
            with deferred():
                _look(source, ending, on_change)
        # It says OSError, or an error of its own, where the system has no more room.
        except (OSError, RuntimeError) as error:
            log.error("changes cannot be watched: %s; SIGHUP reloads", error)  # noqa: TRY400  # the reason is enough

    async with trio.open_nursery() as looking:
        looking.start_soon(_in_thread, look)
        try:
            await trio.sleep_forever()
        finally:
            # A thread cannot be cancelled; this one looks for it every 50 ms.
            ending.set()


async def _in_thread(look: Callable[[], None]) -> None:
    await trio.to_thread.run_sync(look, limiter=trio.CapacityLimiter(1))


def _look(source: Source, ending: threading.Event, on_change: OnChange) -> None:
    import watchfiles  # noqa: PLC0415  # an extra

    changes = watchfiles.watch(
        *source.directories,
        watch_filter=lambda _, path: source.has(Path(path)),
        stop_event=ending,
        raise_interrupt=False,
    )
    for changed in changes:
        names = sorted({Path(path).name for _, path in changed})
        trio.from_thread.run_sync(_told, names, on_change)


def _told(names: Sequence[str], on_change: OnChange) -> None:
    first, *more = names
    others = f" and {len(more)} more" if more else ""
    tell(f"{ascii(first)[1:-1]}{others} changed: reloading")
    on_change()
