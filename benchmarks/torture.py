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
from tests.torture.protocols import PROTOCOLS
from tests.torture.rack import Tally, torture

# Failures that are told in full; the first says most of what the others would.
TOLD = 20

Tallies = dict[tuple[str, How | None], Tally]
"""What came of each harm, by the protocol to whose connections it was done."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Torture every scene in every way; 1 if one did not stand it."""
    options = _parser().parse_args(arguments)
    tallies: Tallies = {
        (over, how): Tally()
        for over in options.over or PROTOCOLS
        for how in (None, *HARMS)
    }
    progress, began = Progress(), time.monotonic()
    try:
        for seed in range(options.first_seed, options.first_seed + options.seeds):
            _torture(seed, options.stride, tallies, progress)
    except KeyboardInterrupt:
        print(_table(tallies))
        return INTERRUPTED
    table = _table(tallies)
    minutes = (time.monotonic() - began) / 60
    runs = sum(tally.runs for tally in tallies.values())
    said = f"Seeds: {options.seeds}. {runs} runs, {minutes:.1f} minutes."
    said += " The points at which it was done, by what is spoken:"
    print(f"\n{said}\n\n{table}")
    if options.write:
        command = shlex.join(["python", "-m", "benchmarks.torture", *sys.argv[1:]])
        record("torture", command, f"{said}\n\n{table}")
    return 1 if any(tally.failures for tally in tallies.values()) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.torture")
    parser.add_argument(
        "--over", action="append", choices=[*PROTOCOLS], metavar="PROTOCOL",
        help=f"one of: {'; '.join(PROTOCOLS)}; may be repeated; default: all",
    )  # fmt: skip
    parser.add_argument(
        "--seeds", type=int, default=1, help="how many; each takes about ten minutes"
    )
    parser.add_argument(
        "--first-seed", type=int, default=0, help="0 is a network without whims"
    )
    parser.add_argument(
        "--stride", type=int, default=1, help="try every so many occasions; default: 1"
    )
    parser.add_argument(
        "--write", action="store_true", help="record the table in results.md"
    )
    return parser


def _torture(seed: int, stride: int, tallies: Tallies, progress: Progress) -> None:
    for (over, how), tally in tallies.items():
        for name in PROTOCOLS[over].scenes:
            runs = sum(tally.runs for tally in tallies.values())
            doing = f"{over}, {name}, {how or 'nothing'}"
            progress.show(f"seed {seed}, {doing}; {runs} runs")
            found = torture(name, how, over=over, seed=seed, stride=stride)
            for failure in found.failures[: max(0, TOLD - len(tally.failures))]:
                progress.keep(failure)
            tally.add(found)


def _table(tallies: Tallies) -> str:
    spoken = [over for over, how in tallies if how is None]
    rows = [_row(tallies, spoken, how) for how in (None, *HARMS)]
    total = [_row(tallies, spoken, *HARMS, None, name="all of it")]
    scenes = ["scenes", *(str(len(PROTOCOLS[over].scenes)) for over in spoken), ""]
    return markdown(["what is done", *spoken, "failures"], [scenes, *rows, *total])


def _row(
    tallies: Tallies, spoken: list[str], *hows: How | None, name: str = ""
) -> list[str]:
    points = [sum(tallies[over, how].points for how in hows) for over in spoken]
    failures = sum(len(tallies[over, how].failures) for over in spoken for how in hows)
    return [name or str(hows[0] or "nothing"), *map(str, points), str(failures)]


if __name__ == "__main__":
    sys.exit(main())
