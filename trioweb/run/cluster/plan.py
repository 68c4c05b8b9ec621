"""The plan: what a supervisor decides, without a clock, a process or a socket.

Events go in, each with the time it is; actions come out, to be done in their order.
What must hold whatever happens: a worker that serves is asked to leave only when
another one serves, unless everything stops; every place without a worker has one
coming; and everything that is waited for has an end.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping

from trioweb.run.cluster.actions import Action, Announce, Cancel, Dump, Finish, Kill
from trioweb.run.cluster.breaker import Breaker, pause
from trioweb.run.cluster.members import Member, Place, Policy, State, ending
from trioweb.run.cluster.rolling import Queue
from trioweb.run.cluster.roster import MARGIN, Roster

# Seconds between showing where a stuck worker is and killing it.
LAST_WORDS = 1.0

# Seconds between two looks at what is due, while there are workers.
LOOK = 1.0

# Seconds without any event after which it was the supervisor that stood still (stopped
# by a debugger, or swapped out), and no worker is to pay for it.
ASLEEP = 3.0

# Seconds a worker has to serve to count as one that can: one that ends by itself sooner
# is replaced after a pause.
STEADY = 1.0

# Seconds until recycling is tried again after it failed: the old worker serves.
RECYCLE_AGAIN = 60.0

# Starts in a row that a signal may end before there is a pause: somebody who kills
# workers wants to see them replaced, a program that always crashes must not be hot.
KILLED = 3


class Plan:
    """The workers there are and are to be: *size* slots, as many *sockets* or none.

    *chance* gives a number from 0 to 1, for what workers must not do in step.
    """

    def __init__(
        self, size: int, *, sockets: int, policy: Policy, chance: Callable[[], float]
    ) -> None:
        self.finished = False
        self._roster = Roster(size, sockets, policy, chance)
        self._policy = policy
        self.queue = Queue()
        self._breaker = Breaker()
        self._now = 0.0
        self._announced = False
        self._stops = 0  # how often a stop was asked for
        self._code = 0

    @property
    def stopping(self) -> bool:
        """Whether a stop was asked for, or decided."""
        return self._stops > 0

    @property
    def size(self) -> int:
        """How many workers there are to be."""
        return self._roster.size

    @property
    def members(self) -> Mapping[int, Member]:
        """The processes there are, by their numbers."""
        return self._roster.members

    @property
    def places(self) -> Mapping[int, Place]:
        """The slots there are."""
        return self._roster.places

    def begin(self, now: float) -> list[Action]:
        """The server starts."""
        self._now = now
        return self._settled()

    def ready(self, number: int, now: float) -> list[Action]:
        """A worker has entered its lifespans and can serve."""
        member = self._heard(number, now)
        if member is not None and member.state is State.STARTING:
            self._install(member)
        return self._settled()

    def beat(
        self, number: int, now: float, *, requests: int = 0, memory: int = 0
    ) -> list[Action]:
        """A worker gives a sign of life, with its requests so far and bytes in RAM."""
        member = self._heard(number, now)
        if member is not None and member.state is State.READY:
            self._recycle(member, requests, memory)
        return self._settled()

    def parting(self, number: int, now: float) -> list[Action]:
        """A worker stops gracefully without having been asked by us."""
        member = self._heard(number, now)
        if member is not None and member.state is State.READY:
            self._roster.tell(logging.WARNING, "was told to stop by a signal", member)
            self._roster.vacate(member)
            self._roster.drains(member, now)
        return self._settled()

    def failed(
        self, number: int, now: float, reason: str, *, hopeless: bool
    ) -> list[Action]:
        """A worker says why it will end; *hopeless*: no other start will be better."""
        member = self._heard(number, now)
        if member is not None and member.state is State.STARTING:
            member.reason = reason
            if hopeless and not self._announced:
                self._give_up(1, reason)
        return self._settled()

    def ended(self, number: int, now: float, code: int) -> list[Action]:
        """A process is gone, with its exit code as multiprocessing tells it."""
        self._at(now)
        member = self._roster.members.pop(number)
        if member.state in {State.STARTING, State.READY}:
            self._lost(member, code, ending(code))
        return self._settled()

    def reload(self, now: float) -> list[Action]:
        """Replace every worker by one with the code and settings of now."""
        self._at(now)
        self.queue.reload(range(self.size))
        for each in self.places.values():
            each.retry = now  # the new code may do better
        return self._settled()

    def restart(self, slot: int, now: float) -> list[Action]:
        """Replace the worker of one slot gracefully."""
        self._at(now)
        self.queue.add(slot)
        return self._settled()

    def scale(self, size: int, now: float, *, sockets: int) -> list[Action]:
        """Have *size* workers from now on, and so many sockets."""
        self._at(now)
        self._roster.size = size
        self._roster.sockets = sockets
        return self._settled()

    def stop(self, now: float) -> list[Action]:
        """Stop: gracefully, the second time at once, the third time by killing."""
        self._at(now)
        self._stop()
        return self._settled()

    def tick(self, now: float) -> list[Action]:
        """Time has passed, as `due` has asked for."""
        self._at(now)
        for member in self.members.values():
            self._look_after(member)
        return self._settled()

    def due(self) -> float:
        """When `tick` is to be called next."""
        waits = [member.until for member in self.members.values()]
        waits += [e.retry for e in self.places.values() if e.current is None]
        if self.members:
            waits.append(self._now + LOOK)
        return min(waits, default=math.inf)

    def _at(self, now: float) -> None:
        if now - self._now > ASLEEP:
            self._roster.forgive(now - self._now)
        self._now = now

    def _heard(self, number: int, now: float) -> Member | None:
        self._at(now)
        member = self.members.get(number)
        if member is not None:
            member.heard = now
        return member

    def _look_after(self, member: Member) -> None:
        starting = self._now - member.began
        silent = self._now - member.heard
        if member.state is State.STARTING and starting >= self._policy.startup:
            self._stuck(member, f"is not ready after {starting:.0f} s")
        elif member.state is State.READY and silent >= self._policy.silence:
            self._stuck(member, f"gave no sign of life for {silent:.0f} s")
        else:
            self._roster.look(member, self._now)

    def _stuck(self, member: Member, how: str) -> None:
        member.state, member.until = State.STUCK, self._now + LAST_WORDS
        self._roster.actions.append(Dump(member.number))
        self._lost(member, 1, f"{how}; it shows where it is and is killed")

    def _recycle(self, member: Member, requests: int, memory: int) -> None:
        slot = self.places[member.slot]
        reached = self._policy.recycling.reached(
            requests=requests,
            age=self._now - member.served,
            memory=memory,
            share=member.share,
        )
        if reached and slot.successor is None and self._now >= slot.recycle:
            self.queue.add(member.slot)

    def _install(self, member: Member) -> None:
        """Let *member*, which has just become ready, serve in its place."""
        member.state, member.served = State.READY, self._now
        slot = self.places[member.slot]
        old = slot.current if slot.successor is member else None
        slot.current, slot.successor, slot.killed = member, None, 0
        self._breaker.healthy()
        if old is not None:
            self._roster.leave(old, self._now)
        if not self._announced:
            self._announced = True
            self._roster.actions.append(Announce())

    def _lost(self, member: Member, code: int, how: str) -> None:
        """Take note that *member*, which was to serve, will not."""
        slot = self.places[member.slot]
        replaces = slot.successor is member
        self._roster.lost(member, how)
        if replaces:
            self._after_succession(slot, member, code)
        elif member.served < math.inf:
            self._after_service(slot, member, code)
        else:
            self._after_start(slot, member, code)

    def _after_service(self, slot: Place, member: Member, code: int) -> None:
        slot.retry = self._now
        if self._now - member.served >= STEADY:
            slot.failures = 0
        elif code >= 0:
            slot.failures += 1
            slot.retry += pause(slot.failures)

    def _after_start(self, slot: Place, member: Member, code: int) -> None:
        if code < 0:
            slot.killed += 1
            slot.retry = self._now + pause(slot.killed - KILLED)
        else:
            slot.failures += 1
            slot.retry = self._now + pause(slot.failures)
        serving = self._roster.serving
        if self._breaker.tripped(self._now, by_signal=code < 0, serving=serving):
            because = f": {member.reason}" if member.reason else ""
            self._give_up(3, f"no worker becomes ready, so the server ends{because}")

    def _after_succession(self, slot: Place, member: Member, code: int) -> None:
        slot.killed += 1
        if code < 0 and slot.killed <= KILLED:
            self.queue.add(member.slot, first=True)
            return
        slot.killed = 0
        if member.generation < self.queue.generation:
            return  # of a later reload it says nothing, and that has its turns
        slot.recycle = self._now + RECYCLE_AGAIN
        because = f" ({member.reason})" if member.reason else ""
        text = f"the new worker did not start{because}; the old ones serve on"
        self.queue.give_up(text)
        self._roster.tell(logging.ERROR, text)

    def _give_up(self, code: int, why: str) -> None:
        if not self._stops:
            self._code = code
            self._roster.tell(logging.CRITICAL, why)
            self._stop()

    def _stop(self) -> None:
        self._stops += 1
        roster, within = self._roster, self._policy.cleanup + MARGIN
        if self._stops == 1:
            roster.dismiss(self._now, self._policy.grace + within)
        elif self._stops == 2:
            roster.dismiss(self._now, within)
            roster.actions += [Cancel(each) for each in self.members]
        else:
            roster.actions += [Kill(each) for each in self.members]

    def _settled(self) -> list[Action]:
        roster = self._roster
        if not self._stops:
            # The next to be replaced is known only when who leaves has left.
            roster.settle(self._now, self.queue.generation)
            if (turn := self.queue.next(roster.places)) and turn.current:
                turn.successor = roster.spawn(
                    turn.current.slot, self._now, self.queue.generation
                )
        elif not roster.members and not self.finished:
            self.finished = True
            roster.actions.append(Finish(self._code))
        actions, roster.actions = roster.actions, []
        return actions
