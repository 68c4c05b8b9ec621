"""Pressure: a process that runs short of memory sheds load, rather than be killed.

The system kills a process that needs more than its control group may have, and all its
connections with it.  So before that the server lets go of what it can do without:
first the connections that wait for another request, then the requests that are new or
still coming.  Without a limit on a group there is nothing to watch.
"""

from __future__ import annotations

import ctypes
import functools
import logging
import math
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import trio

from trioweb.message.offload import offload
from trioweb.wire.load import Level
from trioweb.wire.service import Service
from trioweb.wire.watch import Phase

log = logging.getLogger("trioweb.error")

# Seconds between two looks, where content does not call for one before: a look takes
# 0.06 ms for each group.
LOOK = 0.5

# The same while memory has nearly run out.  What is refused gives back its memory at
# once: after half a second at HARD, of 2000 uploads hardly one was left to be answered,
# and with this as many as there is memory for.
SOON = 0.02

# Percent of what the process may have.  Envoy's manual shows 95 for an end of
# keep-alive and 99 for a refusal, of a heap that it keeps itself; Python's varies more.
SOFT = 90
HARD = 95

# Percent it must fall below where a level begins to leave it: what is freed may be
# needed again at once, and what changed at every look would say nothing.
SLACK = 5

# Evicted at one go before others get their turn, as with the alarms.
BATCH = 50

# Seconds between two lines in the log: a flood must not fill it too.
QUIET = 1.0

# Bytes from which on a limit is none: version 1 says the greatest number of pages.
UNLIMITED = 1 << 60

_MIB = 1 << 20

_PROCESS = Path("/proc/self/cgroup")
_MOUNTED = Path("/sys/fs/cgroup")

_SAYS = {
    Level.EASE: "there is enough memory again",
    Level.SOFT: "memory runs short, connections end after their next answer",
    Level.HARD: "memory has nearly run out, requests are answered with 503",
}


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes in use that cannot be had back at once, of those there may be."""

    used: int
    limit: int


def judge(memory: Memory, before: Level) -> Level:
    """The level that follows *before*."""
    hard = HARD - (SLACK if before is Level.HARD else 0)
    soft = SOFT - (SLACK if before is not Level.EASE else 0)
    if memory.used * 100 >= memory.limit * hard:
        return Level.HARD
    if memory.used * 100 >= memory.limit * soft:
        return Level.SOFT
    return Level.EASE


@dataclass(frozen=True, slots=True)
class Version:
    """What a version of control groups calls its files, and a line of memory.stat."""

    limit: str
    used: str
    cache: str


V1 = Version("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
V2 = Version("memory.max", "memory.current", "inactive_file")


@dataclass(frozen=True, slots=True)
class Group:
    """A control group that this process is in, itself or through another."""

    folder: Path
    version: Version

    def look(self) -> Memory:
        """Its memory now.

        OSError where it has no such files; ValueError where they say something else.
        What was read from files and is not in use is given back on demand, so that it
        does not count: Kubernetes evicts by the same figure.
        """
        limit = self._read(self.version.limit).strip()
        used = int(self._read(self.version.used))
        lines = (line.split() for line in self._read("memory.stat").splitlines())
        cache = next((line[1] for line in lines if line[0] == self.version.cache), "0")
        return Memory(used - int(cache), UNLIMITED if limit == "max" else int(limit))

    def _read(self, name: str) -> str:
        return (self.folder / name).read_text("ascii")


def limited(process: Path = _PROCESS, mounted: Path = _MOUNTED) -> list[Group]:
    """The groups with a limit on memory that this process counts towards.

    *process* is where the system says which groups it is in, *mounted* where they are.
    """
    try:
        lines = process.read_text("utf-8").splitlines()
    except OSError:  # a system without control groups
        return []
    return [
        group
        for group in _groups(lines, mounted)
        if (memory := _seen(group)) is not None and memory.limit < UNLIMITED
    ]


def tightest(groups: Sequence[Group]) -> Memory | None:
    """The memory of the group that has the least left in proportion, if any tells."""
    seen = [memory for group in groups if (memory := _seen(group)) is not None]
    return max(seen, key=lambda each: each.used / max(1, each.limit), default=None)


def _seen(group: Group) -> Memory | None:
    try:
        return group.look()
    except (OSError, ValueError):  # gone, or no descriptor is left to look with
        return None


def _groups(lines: Sequence[str], mounted: Path) -> Iterator[Group]:
    """A group and those it is in, by the lines ``number:controllers:/path``."""
    paths = {
        controller: path
        for _, controllers, path in (line.split(":", 2) for line in lines)
        for controller in controllers.split(",")
    }
    # Version 1 where it has the memory; version 2 has one line, without controllers.
    if "memory" in paths:
        version, root, path = V1, mounted / "memory", paths["memory"]
    elif "" in paths:
        version, root, path = V2, mounted, paths[""]
    else:
        return
    # In a container the path may be as the host sees it; the root is our group then.
    parts = PurePosixPath(path).parts[1:]
    for depth in range(len(parts), -1, -1):
        yield Group(root.joinpath(*parts[:depth]), version)


@asynccontextmanager
async def relieved(
    service: Service, groups: Sequence[Group] | None = None
) -> AsyncIterator[None]:
    """Set the service's load by the memory of *groups* while the block runs.

    Those with a limit if none are given; no task runs where there are none.
    """
    groups = limited() if groups is None else groups
    if not groups:
        yield
        return
    relief = _Relief(service, groups)
    async with trio.open_nursery() as looking:
        looking.start_soon(relief.run)
        service.load.look = relief.look
        try:
            yield
        finally:
            service.load.look = None
            looking.cancel_scope.cancel(reason="the server stops")


@dataclass(slots=True)
class _Relief:
    """What looks at the memory of *groups*, and gives back what can be had."""

    service: Service
    groups: Sequence[Group]
    _out: trio.Event = field(default_factory=trio.Event)  # it has nearly run out
    _told: Level = Level.EASE
    _told_at: float = -math.inf  # on Trio's clock

    async def run(self) -> None:
        """Look now and then, until cancelled."""
        trim = _trimmer()
        while True:
            self.look()
            if self.service.load.pressing:
                await _evict(self.service)
                await offload(trim)
            if self.service.load.refusing:
                await trio.sleep(SOON)
                continue
            with trio.move_on_after(LOOK):
                await self._out.wait()
            self._out = trio.Event()

    def look(self) -> None:
        """Set the level anew."""
        memory = tightest(self.groups)
        if memory is None:  # nobody knows: it stays as it is
            return
        load = self.service.load
        load.level = judge(memory, load.level)
        if load.refusing:
            self._out.set()
        now = trio.current_time()
        if load.level is not self._told and now - self._told_at >= QUIET:
            self._told, self._told_at = load.level, now
            log.warning(
                "%s: %d of %d MiB are in use",
                _SAYS[load.level],
                memory.used // _MIB,
                memory.limit // _MIB,
            )


async def _evict(service: Service) -> None:
    """Close the connections that wait for another request; not those that are new.

    A request may be on its way on those, and an answer is better than none.
    """
    waiting = [watch for watch in service.idle if watch.phase is Phase.IDLE]
    for count, watch in enumerate(waiting, 1):
        service.dismiss(watch)
        if count % BATCH == 0:
            await trio.lowlevel.checkpoint()


def _trimmer() -> Callable[[], object]:
    """What gives memory that is free back to the system.

    The C library keeps it otherwise: after a burst of uploads 500 MiB, of which all but
    20 could be had back, so that the pressure would never have ended.
    """
    try:
        return functools.partial(ctypes.CDLL(None).malloc_trim, 0)
    except (AttributeError, OSError, TypeError):  # not the GNU one
        return int
