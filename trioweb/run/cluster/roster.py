"""The roster: who works in which place, and the actions that make it so."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable

from trioweb.run.cluster.actions import (
    Action,
    Drain,
    Hush,
    Kill,
    Listen,
    Spawn,
    Tell,
    Terminate,
)
from trioweb.run.cluster.members import Member, Place, Policy, State
from trioweb.run.cluster.placing import place

# Seconds more than its own bound that a worker gets to end, before it is killed: one
# that is about to go by itself is not.
MARGIN = 1.0


class Roster:
    """The members and their places; what is to be done is left in *actions*."""

    def __init__(
        self, size: int, sockets: int, policy: Policy, chance: Callable[[], float]
    ) -> None:
        self.size = size
        self.sockets = sockets
        self.policy = policy
        self.members: dict[int, Member] = {}
        self.places: dict[int, Place] = {}
        self.actions: list[Action] = []
        self._chance = chance
        self._numbers = 0
        self._leaving: list[Member] = []

    def tell(self, level: int, text: str, member: Member | None = None) -> None:
        """Put a line into the log."""
        number = None if member is None else member.number
        self.actions.append(Tell(level, text, number))

    @property
    def serving(self) -> bool:
        """Whether anybody serves."""
        return any(each.state is State.READY for each in self.members.values())

    def spawn(self, slot: int, now: float, generation: int) -> Member:
        """A new member of a slot, which starts now."""
        self._numbers += 1
        member = Member(
            number=self._numbers,
            slot=slot,
            generation=generation,
            began=now,
            heard=now,
            share=1 - self.policy.recycling.jitter * self._chance(),
        )
        self.members[member.number] = member
        self.places[slot].started += 1
        self.actions.append(Spawn(member.number, slot))
        return member

    def vacate(self, member: Member) -> None:
        """Take *member* out of its place; who was to succeed it has the place then."""
        slot = self.places[member.slot]
        if slot.current is member:
            slot.current, slot.successor = slot.successor, None
        elif slot.successor is member:
            slot.successor = None

    def lost(self, member: Member, how: str) -> None:
        """Take *member*, which was to serve and does not, out of its place."""
        self.places[member.slot].fault = member.reason or how
        self.vacate(member)
        self.tell(logging.ERROR, how, member)

    def leave(self, member: Member, now: float) -> None:
        """Let *member* go, which is in no place any more: gracefully if it serves."""
        if member.state is State.READY:
            self._leaving.append(member)
        else:
            self.actions.append(Terminate(member.number))
        self.drains(member, now)

    def drains(self, member: Member, now: float) -> None:
        """Take note that *member* finishes what it has begun, and no more."""
        member.state = State.DRAINING
        member.until = now + self.policy.grace + self.policy.cleanup + MARGIN
        member.sockets = frozenset()

    def forgive(self, seconds: float) -> None:
        """Let so much time not have passed for anybody."""
        for member in self.members.values():
            member.heard += seconds
            member.began += seconds
            member.until += seconds

    def dismiss(self, now: float, within: float) -> None:
        """Take everybody off, and kill who is there after so many seconds."""
        for member in self.members.values():
            if member.state in {State.STARTING, State.READY}:
                self.leave(member, now)
            if member.state is State.DRAINING:
                member.until = now + within
        self.places.clear()
        self._part(last=True)

    def look(self, member: Member, now: float) -> None:
        """Kill *member* when the time has come."""
        if now >= member.until:
            if member.state is State.DRAINING:
                self.tell(logging.ERROR, "did not end in time and is killed", member)
            member.until = math.inf
            self.actions.append(Kill(member.number))

    def settle(self, now: float, generation: int) -> None:
        """Have *size* places, with somebody in each or to come, and sockets served."""
        self._trim(now)
        for slot in range(self.size):
            here = self.places.setdefault(slot, Place())
            if here.current is None and now >= here.retry:
                here.current = self.spawn(slot, now, generation)
        self._share_sockets()
        self._part(last=False)

    def _trim(self, now: float) -> None:
        """Clear the places that are too many; of those who serve only by and by."""
        rest = [each for slot, each in self.places.items() if slot < self.size]
        replaced = any(_serves(each) for each in rest)
        for slot in [slot for slot in self.places if slot >= self.size]:
            here = self.places[slot]
            for member in (here.successor, here.current):
                if member is not None and (replaced or member is not _serving(here)):
                    self.vacate(member)
                    self.leave(member, now)
            if here.current is None:
                del self.places[slot]

    def _share_sockets(self) -> None:
        serving = {
            slot: member.number
            for slot, each in sorted(self.places.items())
            if (member := _serving(each)) is not None
        }
        held = {number: self.members[number].sockets for number in serving.values()}
        wanted = place(self.sockets, serving, held)
        # First the one who accepts from now on, then the one who does no more.
        for number, sockets in wanted.items():
            if sockets - held[number]:
                self.actions.append(Listen(number, sockets - held[number]))
            self.members[number].sockets = sockets
        for number, sockets in wanted.items():
            if held[number] - sockets:
                self.actions.append(Hush(number, held[number] - sockets))

    def _part(self, *, last: bool) -> None:
        for member in self._leaving:
            self.actions.append(Drain(member.number, last))
        self._leaving.clear()


def _serving(here: Place) -> Member | None:
    member = here.current
    return member if member is not None and member.state is State.READY else None


def _serves(here: Place) -> bool:
    return _serving(here) is not None
