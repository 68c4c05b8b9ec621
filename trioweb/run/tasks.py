"""Tasks: those of an event loop as text, each below its parent, with where it waits."""

from __future__ import annotations

from collections.abc import Iterator
from types import CoroutineType, FrameType, GeneratorType

import trio

# Tasks shown, at most: who reads it wants to see the kinds, not ten thousand of one.
MOST = 200


def tree(root: trio.lowlevel.Task) -> str:
    """The tasks below *root*: a line for each, indented, with where it waits.

    Another thread than the loop's may call it only while that one is blocked.
    """
    lines: list[str] = []
    for depth, task in _tasks(root, 0):
        if len(lines) == MOST:
            lines.append("... and more")
            break
        name = task.name.rpartition(".")[2]
        lines.append(f"{'  ' * depth}{name}{_place(task)}")
    return "\n".join(lines)


def _tasks(
    task: trio.lowlevel.Task, depth: int
) -> Iterator[tuple[int, trio.lowlevel.Task]]:
    yield depth, task
    for nursery in list(task.child_nurseries):
        for child in list(nursery.child_tasks):
            yield from _tasks(child, depth + 1)


def _place(task: trio.lowlevel.Task) -> str:
    """Where the innermost code that is not Trio's own waits."""
    place = ""
    for frame, line in frames(task.coro):
        module = str(frame.f_globals.get("__name__"))
        if not module.startswith("trio."):
            code = frame.f_code
            place = f"  {code.co_qualname} ({module}:{line})"
    return place


def frames(awaited: object) -> Iterator[tuple[FrameType, int]]:
    """The frames of a coroutine, from the outermost to where it waits."""
    while awaited is not None:
        if isinstance(awaited, CoroutineType):
            frame, inner = awaited.cr_frame, awaited.cr_await
        elif isinstance(awaited, GeneratorType):
            frame, inner = awaited.gi_frame, awaited.gi_yieldfrom
        else:
            return
        if frame is not None:
            yield frame, frame.f_lineno
        awaited = inner
