"""``python -m benchmarks.torture``: everything that can be done to a connection."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Sequence

from benchmarks.command import INTERRUPTED
from benchmarks.progress import Progress
from benchmarks.results import record
from benchmarks.table import markdown
from tests.torture.harms import HARMS, How
from tests.torture.rack import Tally, torture
from tests.torture.scenes import SCENES

HEADINGS = ("what is done", "runs", "points", "failures")

# Failures that are told in full; the first says most of what the others would.
TOLD = 20

Tallies = dict[How | None, Tally]


def main(arguments: Sequence[str] | None = None) -> int:
    """Torture every scene in every way; 1 if one did not stand it."""
    options = _parser().parse_args(arguments)
    tallies: Tallies = {how: Tally() for how in (None, *HARMS)}
    progress, began = Progress(), time.monotonic()
    try:
        for seed in range(options.first_seed, options.first_seed + options.seeds):
            _torture(seed, tallies, progress)
    except KeyboardInterrupt:
        print(_table(tallies))
        return INTERRUPTED
    table = _table(tallies)
    minutes = (time.monotonic() - began) / 60
    said = f"{len(SCENES)} scenes, {options.seeds} seeds, {minutes:.1f} minutes."
    print(f"\n{said}\n\n{table}")
    if options.write:
        command = shlex.join(["python", "-m", "benchmarks.torture", *sys.argv[1:]])
        record("torture", command, f"{said}\n\n{table}")
    return 1 if any(tally.failures for tally in tallies.values()) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.torture")
    parser.add_argument(
        "--seeds", type=int, default=3, help="how many; each takes about a minute"
    )
    parser.add_argument(
        "--first-seed", type=int, default=0, help="0 is a network without whims"
    )
    parser.add_argument(
        "--write", action="store_true", help="record the table in results.md"
    )
    return parser


def _torture(seed: int, tallies: Tallies, progress: Progress) -> None:
    for how, tally in tallies.items():
        for name in SCENES:
            runs = sum(tally.runs for tally in tallies.values())
            progress.show(f"seed {seed}, {name}, {how or 'nothing'}; {runs} runs")
            found = torture(name, how, seed=seed)
            for failure in found.failures[: max(0, TOLD - len(tally.failures))]:
                progress.keep(failure)
            tally.add(found)


def _table(tallies: Tallies) -> str:
    whole = Tally()
    rows = []
    for how, tally in tallies.items():
        whole.add(tally)
        rows.append(_row(str(how or "nothing"), tally))
    return markdown(HEADINGS, [*rows, _row("all of it", whole)])


def _row(name: str, tally: Tally) -> list[str]:
    return [name, str(tally.runs), str(tally.points), str(len(tally.failures))]


if __name__ == "__main__":
    sys.exit(main())
