"""``python -m benchmarks``: what a request costs, of trioweb and of its peers."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Mapping, Sequence
from functools import partial

from benchmarks.command import run_apart
from benchmarks.load import LoadFailed
from benchmarks.peers import PEERS, TRIOWEB, NotInstalled
from benchmarks.progress import Progress
from benchmarks.results import record
from benchmarks.rounds import Measured, Spread, measure_all, ratios
from benchmarks.serving import NotServing
from benchmarks.table import markdown
from benchmarks.works import WORKS

HEADINGS = (
    "work",
    "server",
    "CPU µs/request",
    "trioweb ÷ it",
    "requests/s",
    "p50, ms",
    "p99, ms",
    "RSS, MiB",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare, print the table, and record it if asked to; the exit code."""
    options = _parser().parse_args(arguments)
    return run_apart(partial(_run, options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    peers = {peer.name: peer for peer in PEERS if peer is not TRIOWEB}
    add = parser.add_argument
    for option, known in (
        ("--work", {work.name: work for work in WORKS}),
        ("--peers", peers),
    ):
        names = ",".join(known)
        kind = partial(_named, known)
        add(option, type=kind, default=names, help=f"default: {names}")
    add("--rounds", type=int, default=5, help="default: %(default)s")
    add("--seconds", type=int, default=2, help="of each load; default: %(default)s")
    add("--write", action="store_true", help="record the table in results.md")
    return parser


def _named(known: Mapping[str, object], names: str) -> list[object]:
    """Those of *known* whose names stand in *names*, between commas."""
    try:
        return [known[name] for name in names.split(",") if name]
    except KeyError as error:
        msg = f"{error} is not one of {', '.join(known)}"
        raise argparse.ArgumentTypeError(msg) from error


async def _run(options: argparse.Namespace) -> int:
    progress = Progress()
    try:
        works, peers = options.work, [TRIOWEB, *options.peers]
        measured = await measure_all(
            works, peers, progress, rounds=options.rounds, seconds=options.seconds
        )
        names = [await peer.described() for peer in peers]
    except (NotInstalled, NotServing, LoadFailed) as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    text = f"{_explained(options)}\n{'; '.join(names)}.\n\n{table(measured)}"
    print(text)
    if options.write:
        command = ["python", "-m", "benchmarks", *sys.argv[1:]]
        record("comparison", shlex.join(command), text)
    return 0


def _explained(options: argparse.Namespace) -> str:
    return (
        f"Medians of {options.rounds} interleaved rounds of {options.seconds} s, with "
        "the least and the most;\nthe server on one core, wrk with 64 connections on "
        "another.\nThe ratio is of each round against itself: below 1, trioweb is "
        "the cheaper."
    )


def table(measured: Measured) -> str:
    """One row for each work and server."""
    rows = []
    for (work, peer), found in measured.items():
        rows.append(
            [
                work,
                peer,
                f"{Spread.of([each.processor for each in found]):.1f}",
                f"{ratios(measured, work, TRIOWEB.name, peer):.2f}",
                f"{Spread.of([each.rate for each in found]).median:.0f}",
                f"{Spread.of([each.p50 for each in found]).median:.2f}",
                f"{Spread.of([each.p99 for each in found]).median:.2f}",
                f"{Spread.of([each.rss for each in found]).median / 2**20:.1f}",
            ]
        )
    return markdown(HEADINGS, rows)


if __name__ == "__main__":
    sys.exit(main())
