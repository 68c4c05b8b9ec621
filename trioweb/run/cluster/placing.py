"""Placing: which worker accepts from which socket."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

# The sockets that cannot be had once for each worker (Unix sockets, inherited ones, a
# system without SO_REUSEPORT): every worker accepts from those.
SHARED = -1


def place(
    sockets: int, serving: Mapping[int, int], held: Mapping[int, AbstractSet[int]]
) -> dict[int, frozenset[int]]:
    """The sockets of each worker that serves; none is left without one that accepts.

    *serving* has the worker of each slot that has one, *held* what workers accept from
    now.  Socket *n* belongs to slot *n*; where that has no worker, it stays with the
    sibling that has it, unless another has fewer.

    >>> place(3, {0: 7, 1: 8}, {7: {0, 2}, 8: {1}})
    {7: frozenset({0, 2, -1}), 8: frozenset({1, -1})}
    """
    wanted: dict[int, set[int]] = {worker: set() for worker in serving.values()}
    if not wanted:
        return {}
    orphans = []
    for socket in range(sockets):
        if socket in serving:
            wanted[serving[socket]].add(socket)
        else:
            orphans.append(socket)
    kept = set().union(*(held.get(each, ()) for each in wanted))
    for socket in sorted(orphans, key=lambda each: each not in kept):
        least = min(map(len, wanted.values()))
        fosters = [each for each in sorted(wanted) if len(wanted[each]) == least]
        holders = [each for each in fosters if socket in held.get(each, ())]
        wanted[(holders or fosters)[0]].add(socket)
    return {worker: frozenset(own | {SHARED}) for worker, own in wanted.items()}
