"""The protocol of the control socket: one request, then replies, a line of JSON each.

The last reply is Done or Refused, after which the server hangs up.  A request is one
line, so whoever has sent half of one has asked for nothing.
"""

from __future__ import annotations

import msgspec

from trioweb.run.control.tree import Task

# Bytes of a request.  Ours have forty; a line that is longer is none of ours.
LONGEST_REQUEST = 4096

# Bytes of a reply: the list of as many workers as there may be, or one worker's tasks.
LONGEST_REPLY = 1 << 20

# Log lines that are told of the past, if no other number is asked for.
LINES = 100


class Request(msgspec.Struct, frozen=True, tag=True):
    """What is asked; the name of its class goes with it."""


class List(Request, frozen=True):
    """Answer with one Listing."""


class Logs(Request, frozen=True):
    """Answer with a Said for each line, the last *lines*; with *follow* for ever."""

    lines: int = LINES
    follow: bool = False


class Tree(Request, frozen=True):
    """Answer with a Grown for each worker, or for one."""

    worker: int | None = None


class Reload(Request, frozen=True):
    """Replace every worker; the answer comes when all are replaced."""


class Restart(Request, frozen=True):
    """Replace one worker; the answer comes when its successor serves."""

    worker: int


class Scale(Request, frozen=True):
    """Have *size* workers; the answer comes when all of them serve."""

    size: int


class Stop(Request, frozen=True):
    """Stop gracefully, the second time at once; the answer comes at the end."""


Requests = List | Logs | Tree | Reload | Restart | Scale | Stop


class Reply(msgspec.Struct, frozen=True, tag=True):
    """One answer, or a part of it; the name of its class goes with it."""


class Worker(msgspec.Struct, frozen=True, kw_only=True):
    """A worker, or a place for one that is empty now (*pid* 0)."""

    worker: int
    pid: int = 0
    state: str = "down"  # or starting, ready, draining, stuck
    uptime: float = 0.0  # seconds
    restarts: int = 0
    connections: int = 0
    requests: int = 0  # so far
    rate: float = 0.0  # requests a second
    cpu: float = 0.0  # percent of one core
    memory: int = 0  # bytes in RAM
    fault: str = ""  # why there is none


class Listing(Reply, frozen=True):
    """A server and its workers."""

    name: str
    pid: int
    target: str
    urls: list[str]
    size: int  # workers there are to be
    uptime: float  # seconds
    stopping: bool
    patience: float  # seconds that a stop may take
    directory: str  # its working directory
    command: list[str]  # that has started it
    workers: list[Worker]


class Said(Reply, frozen=True):
    """A line of a log; *worker* None: the supervisor's own."""

    worker: int | None
    pid: int
    time: float  # seconds since the epoch
    line: str


class Missed(Reply, frozen=True):
    """So many lines were dropped here: they came faster than they were taken."""

    lines: int


class Grown(Reply, frozen=True):
    """The tasks of one worker; None where it does not answer."""

    worker: int
    pid: int
    tree: Task | None


class Done(Reply, frozen=True):
    """It is done; *text* says what has happened."""

    text: str = ""


class Refused(Reply, frozen=True):
    """It is not done, and why."""

    reason: str


Replies = Listing | Said | Missed | Grown | Done | Refused
