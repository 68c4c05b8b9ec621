"""The tree of a worker's tasks, as values: connection, request, age, where it waits.

For whoever asks what a server is doing right now.  What peers have chosen is cut,
escaped and redacted as in the access log; values of variables are never told.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import CodeType, CoroutineType, FrameType, GeneratorType

import msgspec
import trio

from trioweb.run.access_log import escape
from trioweb.run.tasks import frames
from trioweb.wire import connection, h1
from trioweb.wire.inbound import Inbound

# Tasks that are looked at before others get their turn: each takes some 30 µs.
TURN = 50

# Nurseries within nurseries that are looked into.
DEPTH = 50

# Bytes of a tree as JSON: three quarters of what a channel takes.
ROOM = 48 * 1024

# Characters of a name or a place.
_LONGEST = 200

_PACKAGE = Path(__file__).parents[2]


class Asked(msgspec.Struct, frozen=True):
    """The request that a task is at."""

    method: str
    path: str  # as it was received, without a query
    route: str | None
    seconds: float  # since its head was complete


class Caller(msgspec.Struct, frozen=True):
    """The connection that a task serves."""

    peer: str
    seconds: float  # since it was accepted
    request: Asked


class Task(msgspec.Struct):
    """A task, where it waits, and the tasks in its nurseries."""

    name: str
    where: str  # FILE:LINE FUNCTION
    connection: Caller | None = None  # where a request is at work
    tasks: list[Task] = []
    idle: int = 0  # connections without a request among them, which are left out
    left_out: int = 0  # others for which there was no room


async def grow(root: trio.lowlevel.Task, room: int = ROOM) -> Task:
    """The tasks below *root*, the oldest requests first, in *room* bytes of JSON.

    Others get their turn meanwhile, so it is no picture of one moment.
    """
    tree = await _Gardener().grow(root, DEPTH)
    _prune(tree, room)
    return tree


class _Gardener:
    def __init__(self) -> None:
        self._seen = 0

    async def grow(self, task: trio.lowlevel.Task, depth: int) -> Task:
        chain = list(frames(task.coro))
        found = Task(_cut(task.name), _where(chain), _caller(chain))
        for nursery in list(task.child_nurseries):
            for child in list(nursery.child_tasks):
                self._seen += 1
                if self._seen % TURN == 0:
                    await trio.lowlevel.checkpoint()
                if _is_idle(child):
                    # Thousands of them say nothing, and would hide those that do.
                    found.idle += 1
                elif depth == 0:
                    found.left_out += 1
                else:
                    found.tasks.append(await self.grow(child, depth - 1))
        found.tasks.sort(key=_order)
        return found


def _is_idle(task: trio.lowlevel.Task) -> bool:
    """Whether it serves a connection on which no request is at work."""
    codes = {*_codes(task.coro)}
    if connection.serve.__code__ not in codes:
        return False
    return _EXCHANGES not in codes or not codes.isdisjoint(_BETWEEN)


_EXCHANGES = h1.Connection.serve.__code__  # which has its connection

# What one does between two requests, or after the last.
_BETWEEN = {each.__code__ for each in (Inbound.first, Inbound.head, Inbound.part)}


def _codes(awaited: object) -> Iterator[CodeType]:
    """The code of each frame, without the frame, which Python makes when it is asked.

    To look at ten thousand idle connections must not leave a hundred thousand objects.
    """
    while awaited is not None:
        if isinstance(awaited, CoroutineType):
            yield awaited.cr_code
            awaited = awaited.cr_await
        elif isinstance(awaited, GeneratorType):
            yield awaited.gi_code
            awaited = awaited.gi_yieldfrom
        else:
            return


def _order(task: Task) -> tuple[bool, float, str]:
    caller = task.connection
    age = 0.0 if caller is None else caller.request.seconds
    return (caller is not None, -age, task.name)


def _caller(chain: Iterable[tuple[FrameType, int]]) -> Caller | None:
    """The connection and request that the frames are about, if they are."""
    # No other frame's variables are asked for: Python keeps the answer with the frame.
    found = [frame.f_locals["self"] for frame, _ in chain if frame.f_code is _EXCHANGES]
    at_work: h1.Connection | None = found[0] if found else None
    if at_work is None or at_work.request is None:
        return None
    request, now = at_work.request, trio.current_time()
    asked = Asked(
        method=escape(request.method),
        path=escape(request.target.raw_path),
        route=request.route,
        seconds=now - at_work.began,
    )
    return Caller(escape(str(request.peer)), now - at_work.opened, asked)


def _where(chain: Iterable[tuple[FrameType, int]]) -> str:
    """Where the frames wait, in the code that says most about it."""
    best, place = -1, ""
    for frame, line in chain:
        if (rank := _rank(frame)) >= best:
            best = rank
            code = frame.f_code
            place = f"{_near(code.co_filename)}:{line} {code.co_qualname}"
    return _cut(place)


def _rank(frame: FrameType) -> int:
    """How much a place says to who has written the application, 3 is theirs."""
    package = str(frame.f_globals.get("__name__")).partition(".")[0]
    if package in sys.stdlib_module_names or package == "trio":
        return 0
    if package == _PACKAGE.name:
        return 1
    return 2 if "site-packages" in frame.f_code.co_filename else 3


@functools.lru_cache(maxsize=1024)  # more files than that no loop waits in
def _near(file: str) -> str:
    path = Path(file)
    for root in (Path.cwd(), _PACKAGE.parent):
        if path.is_relative_to(root):
            return str(path.relative_to(root))
    return "/".join(path.parts[-2:])


def _prune(task: Task, room: int) -> int:
    """Leave out what does not go into *room* bytes; how many are left."""
    tasks, task.tasks = task.tasks, []
    room -= len(msgspec.json.encode(task)) + 1
    for each in tasks:
        if room <= 0:
            task.left_out += 1
            continue
        room = _prune(each, room)
        task.tasks.append(each)
    return room


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
