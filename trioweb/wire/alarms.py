"""Alarms: one timer for the deadlines of all connections of a loop.

A connection moves its deadline several times a request, nearly always further away, and
nearly no deadline is ever reached.  So a deadline is a number kept by whoever has it;
the wheel only knows, in slots of a twentieth of a second, when it must look at whom.
Whoever is looked at too early is put where its number now says.  Moving a cancel
scope's own deadline instead costs ten times as much.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Protocol

import trio

# Slots in a second: an alarm comes at most this much late, and never early, where the
# loop itself is not late.
TICKS = 20

# Rung at one go before others get their turn: two thousand peers that came together
# and are too slow together must not be told so while everybody else waits.  An answer
# and its close take half a millisecond.
BATCH = 8

# Turns that others get first when the loop was late: two for whoever waits to read, and
# the more the more of them there are; a hub wakes 64 a turn.
CATCH_UP = 32

_NEVER = math.inf


class Alarmed(Protocol):
    """Somebody with a deadline."""

    due: float  # on Trio's clock; math.inf for none
    slot: int  # the wheel's own note; 0 outside it

    def ring(self) -> None:
        """The deadline has passed; must not block."""


class Alarms:
    """The wheel, and the task that turns it."""

    def __init__(self) -> None:
        self._slots: dict[int, set[Alarmed]] = {}
        self._next = _NEVER  # the earliest slot there is
        self._sleep: trio.CancelScope | None = None
        self._rung = 0
        self._begun = 0  # the last slot there was; who is put now comes after it

    def set(self, who: Alarmed, due: float) -> None:
        """Ring *who* once *due* has passed, unless it is set anew before."""
        who.due = due
        if due < _NEVER:
            slot = max(self._begun + 1, math.ceil(due * TICKS))
            if not who.slot or slot < who.slot:
                self._put(who, slot)

    def drop(self, who: Alarmed) -> None:
        """Forget *who*, as its connection ends."""
        if who.slot:
            self._slots[who.slot].discard(who)
            who.slot = 0

    async def run(self) -> None:
        """Ring whom it is time for, until cancelled."""
        while True:
            self._next = min(self._slots, default=_NEVER)
            with trio.CancelScope(deadline=self._next / TICKS) as self._sleep:
                await trio.sleep_forever()
            self._sleep = None
            if trio.current_time() - self._next / TICKS > 1 / TICKS:
                await _let_others_catch_up()
            for who in self._due(trio.current_time()):
                who.ring()
                self._rung += 1
                if self._rung % BATCH == 0:
                    await trio.lowlevel.checkpoint()

    def _put(self, who: Alarmed, slot: int) -> None:
        self.drop(who)
        self._slots.setdefault(slot, set()).add(who)
        who.slot = slot
        if slot < self._next:
            self._next = slot
            if self._sleep is not None:
                self._sleep.deadline = slot / TICKS

    def _due(self, now: float) -> Iterator[Alarmed]:
        """Whom it is time for, taken out one by one."""
        for slot in sorted(slot for slot in self._slots if slot / TICKS <= now):
            self._begun = slot
            # Somebody may be dropped, or a slot emptied, while others are rung.
            while waiting := self._slots.get(slot):
                who = waiting.pop()
                who.slot = 0
                if who.due <= now:
                    who.due = _NEVER
                    yield who
                else:
                    self.set(who, who.due)
            del self._slots[slot]


async def _let_others_catch_up() -> None:
    """Hear what the peers have said while somebody blocked the loop.

    They have said it in time, and would pay for who did not listen.
    """
    for _ in range(CATCH_UP):
        await trio.lowlevel.checkpoint()
