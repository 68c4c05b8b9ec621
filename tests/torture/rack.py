"""Rack: a harm at every occasion a scene has for it, and what did not stand it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.torture.harms import NOTHING, Harm, How
from tests.torture.protocols import PROTOCOLS
from tests.torture.story import Serve, tell
from trioweb.wire import connection

# Occasions that one scene can have for a harm: a bound for a loop, never reached.
MOST = 9000


@dataclass
class Tally:
    """Runs, the different points at which harm was done, and what was not stood."""

    runs: int = 0
    points: int = 0
    failures: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.runs += other.runs
        self.points += other.points
        self.failures += other.failures


def torture(
    name: str,
    how: How | None,
    *,
    over: str = "HTTP/1.1",
    seed: int = 0,
    first: int = 1,
    stride: int = 1,
    serve: Serve = connection.serve,
    stop_at: int = 10,
) -> Tally:
    """Do *how* to the scene *name* at every *stride*-th occasion from the *first* on.

    *over* is what is spoken, and by what line: one of PROTOCOLS.

    It ends when there is no such occasion any more, or at the *stop_at*-th failure.
    """
    spoken, tally = PROTOCOLS[over], Tally()
    for harm in _harms(how, first, stride):
        outcome = tell(
            spoken.scenes[name], harm, seed=seed, line=spoken.line, serve=serve
        )
        found = [fault for promise in spoken.promises for fault in promise(outcome)]
        tally.runs += 1
        tally.points += outcome.struck
        if found:
            about = f"{over}: {name}, {harm}, seed {seed}"
            tally.failures.append(f"{about}: {'; '.join(found)}")
        if not outcome.struck or len(tally.failures) == stop_at or how is None:
            return tally
    tally.failures.append(f"{name}: more than {MOST} occasions")
    return tally


def _harms(how: How | None, first: int, stride: int) -> Iterator[Harm]:
    if how is None:
        yield NOTHING
    for at in itertools.islice(itertools.count(first, stride), MOST):
        yield Harm(how, at)
