"""Messages: what supervisor and workers say to each other.

Another message is another Struct in one of the two unions at the end, and a `case`
where they are taken: `Worker.obey` here, `Supervisor` there.
"""

from __future__ import annotations

import msgspec

from trioweb.message.measures import Family, Series
from trioweb.run.control.tail import Line
from trioweb.run.control.tree import Task


class Message(msgspec.Struct, frozen=True, tag=True):
    """One message; the name of its class goes with it."""


# ---------------------------------------------------------- from a worker


class Ready(Message, frozen=True):
    """The lifespans are entered."""


class Beat(Message, frozen=True):
    """A sign of life, with what there is to count; each second."""

    connections: int  # open now
    requests: int  # so far
    memory: int  # bytes in RAM
    processor: float  # seconds of a core so far


class Parting(Message, frozen=True):
    """It stops gracefully, because a signal has asked it to."""


class Failed(Message, frozen=True):
    """It ends because it cannot start; *hopeless*: nor could another one."""

    reason: str  # one line
    hopeless: bool


class Lines(Message, frozen=True):
    """Lines of its log, in their order; *dropped*: so many before them are lost."""

    lines: list[Line]
    dropped: int
    recalled: bool  # the last ones, whether they have been sent before or not


class Left(Message, frozen=True):
    """The last lines of its log, from a worker that is about to end."""

    lines: list[Line]


class Looked(Message, frozen=True):
    """The tasks it has, for the Look with this ticket."""

    ticket: int
    tree: Task


class Counted(Message, frozen=True):
    """What it has counted of one family so far, as far as it has changed."""

    family: Family
    series: list[Series]


class Report(Message, frozen=True):
    """Send the figures of all workers, in the form that monitors read."""

    ticket: int


# ------------------------------------------------------------------- both ways


class Published(Message, frozen=True):
    """A *message*, encoded, for whoever has subscribed to *topic*."""

    topic: str
    message: bytes


# ---------------------------------------------------------- from the supervisor


class Accept(Message, frozen=True):
    """Accept from the listening sockets that come with it, known by *socket*.

    *plain* says which of them, in their order, speak no TLS though others do.
    """

    socket: int
    plain: list[int] = []


class Release(Message, frozen=True):
    """Accept no more from *socket*: another worker does."""

    socket: int


class Leave(Message, frozen=True):
    """Stop gracefully; *last*: nobody else accepts, so take those who wait first."""

    last: bool


class Decline(Message, frozen=True):
    """Say to who asks that no requests should come any more, but serve those who do."""


class Reported(Message, frozen=True):
    """The next piece of the figures, for the Report with this ticket."""

    ticket: int
    text: str
    last: bool


class Quit(Message, frozen=True):
    """Stop at once."""


class Follow(Message, frozen=True):
    """Send the last lines of the log, and then each as it comes; or no more."""

    on: bool


class Look(Message, frozen=True):
    """Send the tree of tasks."""

    ticket: int


OfLife = Ready | Beat | Parting | Failed
FromWorker = OfLife | Published | Lines | Left | Looked | Counted | Report
FromSupervisor = (
    Accept | Release | Leave | Decline | Quit | Published | Follow | Look | Reported
)
