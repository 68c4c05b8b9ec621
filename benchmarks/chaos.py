"""``python -m benchmarks.chaos``: a server whose workers are killed and replaced."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from functools import partial

import trio

from benchmarks.command import run
from benchmarks.havoc import Seen, kills, reloads, starts
from benchmarks.oracle import quantile
from benchmarks.progress import Progress
from benchmarks.results import record
from benchmarks.system import raise_descriptors
from benchmarks.table import markdown

HEADINGS = (
    "what is done",
    "times",
    "answered",
    "refused",
    "failed (bound)",
    "acknowledged writes: lost",
    "a write's p50 / p99 / p99.9 / max, ms",
    "verdict",
)

STORIES = ("kills", "reloads", "starts")


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what is asked for; 1 if the server has not stood one of it."""
    options = _parser().parse_args(arguments)
    raise_descriptors()
    return run(partial(_run, options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos")
    parser.add_argument(
        "stories", nargs="*", choices=[*STORIES, []], metavar="STORY",
        help=f"any of {', '.join(STORIES)}; default: all",
    )  # fmt: skip
    parser.add_argument("--seconds", type=float, default=60, help="of kills")
    parser.add_argument("--reloads", type=int, default=20, help="under wrk -c 200")
    parser.add_argument("--starts", type=int, default=100, help="ended by SIGTERM")
    parser.add_argument("--seed", type=int, default=1, help="of whom and when")
    parser.add_argument(
        "--write", action="store_true", help="record the table in results.md"
    )
    return parser


async def _run(options: argparse.Namespace) -> int:
    progress = Progress()
    done = {
        "kills": partial(kills, options.seconds, options.seed),
        "reloads": partial(reloads, options.reloads),
        "starts": partial(starts, options.starts, options.seed),
    }
    names = {
        "kills": f"kill -9 each 0.2 s for {options.seconds:.0f} s",
        "reloads": "rolling reloads",
        "starts": "SIGTERM within the start",
    }
    rows, stood = [], True
    for story in options.stories or STORIES:
        try:
            seen = await done[story](progress.show)
        except (trio.TooSlowError, OSError) as error:
            seen = Seen(faults=[f"it did not come to its end: {error!r}"])
        rows.append(row(names[story], seen))
        stood = stood and not seen.judge()
        progress.keep(f"{story:8} {rows[-1][-1]}")
    table = markdown(HEADINGS, rows)
    print(table)
    if options.write:
        command = ["python", "-m", "benchmarks.chaos", *sys.argv[1:]]
        record("chaos", shlex.join(command), table)
    return 0 if stood else 1


def row(name: str, seen: Seen) -> list[str]:
    """The line of what was done in the table, its verdict last."""
    faults = seen.judge()
    shares = (0.5, 0.99, 0.999, 1)
    waits = " / ".join(f"{quantile(seen.waits, share):.1f}" for share in shares)
    return [
        name,
        str(seen.done),
        str(seen.answered),
        str(seen.refused),
        f"{seen.failed} ({seen.bound})",
        f"{len(seen.kept)}: {seen.lost}",
        waits if seen.waits else "–",
        f"FAIL: {'; '.join(faults)}" if faults else "PASS",
    ]


if __name__ == "__main__":
    sys.exit(main())
