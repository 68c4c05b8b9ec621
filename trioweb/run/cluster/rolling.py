"""Rolling: whose turn it is to be replaced; never two workers at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from trioweb.run.cluster.members import Place, State


class Queue:
    """The slots whose worker is to be replaced, in their order.

    *generation* counts the reloads: what starts from now on has the code of that one.
    *given_up* counts how often it was emptied because a fresh worker did not start, and
    *fault* says why it was the last time.
    """

    def __init__(self) -> None:
        self.generation = 0
        self.given_up = 0
        self.fault = ""
        self._turns: list[int] = []

    def reload(self, slots: Iterable[int]) -> None:
        """Everybody, from the beginning; any number of times."""
        self.generation += 1
        self._turns = list(slots)

    def add(self, slot: int, *, first: bool = False) -> None:
        """One more, if it does not wait already."""
        if slot not in self._turns:
            self._turns.insert(0 if first else len(self._turns), slot)

    def give_up(self, fault: str) -> None:
        """Let nobody wait any more, because of *fault*."""
        self._turns.clear()
        self.given_up += 1
        self.fault = fault

    def waits(self, slot: int) -> bool:
        """Whether the worker of *slot* is still to have its turn."""
        return slot in self._turns

    def next(self, places: Mapping[int, Place]) -> Place | None:
        """The place whose worker is to be replaced now, if there is one."""
        if any(each.successor is not None for each in places.values()):
            return None
        while self._turns:
            slot = places.get(self._turns[0])
            worker = None if slot is None else slot.current
            if worker is not None and worker.state is State.READY:
                self._turns.pop(0)
                return slot
            if worker is not None and worker.generation != self.generation:
                return None  # it becomes ready first, or ends
            # There is none, so that the one which comes is new, or it is new itself.
            self._turns.pop(0)
        return None
