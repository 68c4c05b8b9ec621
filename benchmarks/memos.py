"""Memos: how often those of trioweb have known the answer, for each work."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.load import measure
from benchmarks.material import Material
from benchmarks.peers import TRIOWEB
from benchmarks.progress import Progress
from benchmarks.rounds import start
from benchmarks.sessions.visitors import first_visits
from benchmarks.works import Hold, Served, Work


@dataclass(frozen=True, slots=True)
class Rate:
    """How often a memo was asked during a work, and how often it knew."""

    work: str
    memo: str
    hits: int
    misses: int

    @property
    def asked(self) -> int:
        """How often it was asked."""
        return self.hits + self.misses

    @property
    def share(self) -> float:
        """Of the questions, those that it knew the answer to."""
        return self.hits / self.asked


async def rates(
    works: Sequence[Work | Hold], material: Material, progress: Progress
) -> list[Rate]:
    """The memos that were asked, for each of *works* that one process does in clear.

    With TLS or two workers they are the same.  NotServing or LoadFailed as in `start`
    and `measure`.
    """
    found = []
    for work in works:
        if isinstance(work, Work) and work.served is Served.PLAIN:
            progress.show(f"memos: {work.name}")
            found += await _rates(work, material)
    return found


async def _rates(work: Work, material: Material) -> list[Rate]:
    with tempfile.TemporaryDirectory(prefix="trioweb-benchmark-") as place:
        file = Path(place) / "memos"
        words = ("{python}", "-m", "benchmarks.recalled", str(file))
        # After its Python, "-m" and "trioweb".
        peer = replace(TRIOWEB, command=(*words, *TRIOWEB.command[3:]))
        async with contextlib.AsyncExitStack() as serving:
            server = await start(peer, serving, material=material)
            its = work
            if work.visits:
                its = replace(work, cookies=await first_visits(server.port, work.path))
            await measure(server.program.pid, server.port, its, seconds=1)
        said = json.loads(file.read_text())
    return [
        Rate(work.name, memo, hits, misses)
        for memo, (hits, misses) in said.items()
        if hits + misses
    ]
