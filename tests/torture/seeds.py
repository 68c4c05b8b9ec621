"""Seeds: the same number gives the same run of Trio, step by step.

Trio shuffles the tasks that can run, so that nobody comes to rely on their order.  The
order is made a function of a seed here: a run that failed is told by its number.
"""

from __future__ import annotations

import hashlib
import importlib
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar
from unittest import mock

import trio
import trio.abc
import trio.lowlevel
import trio.testing

T = TypeVar("T")

# Trio has a switch for this, made for hypothesis, and no public name for it.  This is
# the only place that knows the names, and `known` is tested, so that a version of Trio
# without them is noticed and not believed.
_SCHEDULER = "trio._core._run"
_SWITCH = "_ALLOW_DETERMINISTIC_SCHEDULING"
_CHANCE = "_r"


def known() -> bool:
    """Whether this version of Trio still has what is relied on."""
    names = vars(importlib.import_module(_SCHEDULER))
    return _SWITCH in names and isinstance(names.get(_CHANCE), random.Random)


def run(
    seed: int,
    main: Callable[[], Awaitable[T]],
    *,
    instruments: Sequence[trio.abc.Instrument] = (),
) -> T:
    """Run *main* in a Trio of its own, on a virtual clock, in the order of *seed*."""
    names = vars(importlib.import_module(_SCHEDULER))
    order = {_SWITCH: True, _CHANCE: random.Random(seed)}
    with mock.patch.dict(names, order):
        return trio.run(
            main,
            clock=trio.testing.MockClock(autojump_threshold=0),
            instruments=instruments,
        )


class Steps(trio.abc.Instrument):
    """Counts the steps of the scheduler while *counting*, and acts at some of them.

    *trace* is a digest of which task took each step and when: of two runs that are the
    same it is the same.
    """

    def __init__(self) -> None:
        self.counting = False
        self.count = 0
        self.acts: dict[int, Callable[[], object]] = {}  # what to do at which
        self._tasks: dict[trio.lowlevel.Task, int] = {}
        self._trace = hashlib.sha256()

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        number = self._tasks.setdefault(task, len(self._tasks))
        self._trace.update(b"%d %.6f;" % (number, trio.current_time()))
        if not self.counting:
            return
        self.count += 1
        if act := self.acts.get(self.count):
            act()

    @property
    def trace(self) -> str:
        return self._trace.hexdigest()
