"""Branches: the tree of a worker's tasks, for people."""

from __future__ import annotations

from collections.abc import Iterator

from trioweb.run.control.protocol import Grown
from trioweb.run.control.tree import Asked, Caller, Task
from trioweb.run.control.units import duration


def drawn(grown: Grown) -> str:
    """A line for each task of one worker, below the one whose nursery it is in."""
    head = f"worker {grown.worker} (pid {grown.pid})"
    if grown.tree is None:
        return (
            f"{head} does not answer: its event loop is blocked, or it is starting; "
            "after half a second its log shows where"
        )
    tasks = list(_all(grown.tree))
    requests = sum(task.connection is not None for task in tasks)
    idle = sum(task.idle for task in tasks)
    counts = f"{_several(requests, 'request')} at work, {idle} idle connections"
    return "\n".join([f"{head}: {counts}", _told(grown.tree), *_below(grown.tree, "")])


def _several(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _all(task: Task) -> Iterator[Task]:
    yield task
    for each in task.tasks:
        yield from _all(each)


def _below(task: Task, indent: str) -> Iterator[str]:
    more = []
    shown = [each for each in task.tasks if not _is_own(each)]
    if own := len(task.tasks) - len(shown):
        more.append(f"{_several(own, 'task')} of the server itself")
    if task.idle:
        more.append(f"{_several(task.idle, 'idle connection')}")
    if task.left_out:
        more.append(f"{task.left_out} more")
    last = len(shown) + len(more) - 1
    for number, each in enumerate(shown):
        yield f"{indent}{'└' if number == last else '├'} {_told(each)}"
        yield from _below(each, indent + ("  " if number == last else "│ "))
    for number, text in enumerate(more, len(shown)):
        yield f"{indent}{'└' if number == last else '├'} {text}"


def _is_own(task: Task) -> bool:
    """Whether nothing of it is about the application."""
    return (
        task.name.startswith("trioweb.")
        and task.connection is None
        and not task.idle
        and all(map(_is_own, task.tasks))
    )


def _told(task: Task) -> str:
    where = f"at {task.where}" if task.where else ""
    caller = task.connection
    if caller is None:
        return f"{task.name}  {where}".rstrip()
    return f"{_request(caller.request)}  {where}  {_connection(caller)}"


def _request(asked: Asked) -> str:
    route = f" ({asked.route})" if asked.route not in {None, asked.path} else ""
    return f"{asked.method} {asked.path}{route}  {duration(asked.seconds)}"


def _connection(caller: Caller) -> str:
    return f"from {caller.peer}, connected {duration(caller.seconds)} ago"
