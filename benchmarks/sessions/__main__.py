"""``python -m benchmarks.sessions``: what a session costs; ``kills``: is one ever lost?

With ``kills`` a server whose sessions are in SQLite is killed (SIGKILL) right after a
write it has acknowledged, over and over, and is asked for it when it is back.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from benchmarks.command import run_apart
from benchmarks.load import LoadFailed
from benchmarks.peer import NotInstalled
from benchmarks.progress import Progress
from benchmarks.results import record
from benchmarks.rounds import Measured, Spread
from benchmarks.serving import NotServing
from benchmarks.sessions.kills import Toll, kill_all
from benchmarks.sessions.peers import Kept, all_of
from benchmarks.sessions.redis import redis
from benchmarks.sessions.rounds import added, measure_all
from benchmarks.sessions.visitors import VISITORS
from benchmarks.table import markdown

HEADINGS = (
    "store",
    "server",
    "without, CPU µs/request",
    "load, µs more",
    "load + save, µs more",
    "load, ×",
    "load + save, ×",
    "trioweb's load + save ÷ its",
    "requests/s: without, load, load + save",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare or kill, print what came of it, and record it if asked to."""
    options = _parser().parse_args(arguments)
    return run_apart(partial(_run, options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sessions")
    add = parser.add_argument
    add("what", nargs="?", choices=("costs", "kills"), default="costs")
    names = [each.peer.name for each in all_of(Path(), 0)]
    add("--servers", nargs="+", default=names, choices=names, metavar="SERVER")
    add("--rounds", type=int, default=9, help="default: %(default)s")
    add("--seconds", type=int, default=1, help="of each load; default: %(default)s")
    add("--kills", type=int, default=200, help="default: %(default)s")
    add("--seed", type=int, default=1, help="of the kills; default: %(default)s")
    add("--write", action="store_true", help="record it in results.md")
    return parser


async def _run(options: argparse.Namespace) -> int:
    try:
        if options.what == "kills":
            toll = await kill_all(options.kills, options.seed, Progress())
            section, text, failed = "kills", told(toll), bool(toll.lost or toll.unasked)
        else:
            section, text, failed = "sessions", await _costs(options), False
    except (NotInstalled, NotServing, LoadFailed) as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    print(text)
    if options.write:
        command = ["python", "-m", "benchmarks.sessions", *sys.argv[1:]]
        record(section, shlex.join(command), text)
    return int(failed)


async def _costs(options: argparse.Namespace) -> str:
    with tempfile.TemporaryDirectory(prefix="trioweb-benchmark-") as place:
        async with redis() as port:
            known = all_of(Path(place), port)
            kept = [each for each in known if each.peer.name in options.servers]
            peers = [each.peer for each in kept]
            measured = await measure_all(
                peers, Progress(), rounds=options.rounds, seconds=options.seconds
            )
            names = "; ".join([await peer.described() for peer in peers])
    return f"{_explained(options)}\n{names}.\n\n{table(kept, measured)}"


def _explained(options: argparse.Namespace) -> str:
    return (
        f"Medians of {options.rounds} interleaved rounds of {options.seconds} s, with "
        "the least and the most; the server on one core,\nwrk with 64 connections, "
        f"{VISITORS} visitors in turn and the Redis server on another, uncounted.\n"
        "Each server is compared with itself: the same handler and the same request, "
        "without a session.\nThe last ratio is of what it adds: below 1, trioweb adds "
        "the less."
    )


def table(kept: Sequence[Kept], measured: Measured) -> str:
    """One row for each server, trioweb first of each kind of store."""
    first: dict[str, str] = {}
    rows = []
    for kind, peer in ((each.kind, each.peer.name) for each in kept):
        ours = added(measured, "save", first.setdefault(kind, peer)).median
        rows.append(
            [
                kind,
                peer,
                f"{_cost(measured, 'none', peer):.1f}",
                *(f"{added(measured, work, peer):.1f}" for work in ("load", "save")),
                *(f"{_times(measured, work, peer):.2f}" for work in ("load", "save")),
                f"{ours / added(measured, 'save', peer).median:.2f}",
                " / ".join(_rate(measured, work, peer) for work in _WORKS),
            ]
        )
    return markdown(HEADINGS, rows)


_WORKS = ("none", "load", "save")


def _cost(measured: Measured, work: str, peer: str) -> Spread:
    return Spread.of([each.processor for each in measured[work, peer]])


def _times(measured: Measured, work: str, peer: str) -> float:
    return _cost(measured, work, peer).median / _cost(measured, "none", peer).median


def _rate(measured: Measured, work: str, peer: str) -> str:
    return f"{Spread.of([each.rate for each in measured[work, peer]]).median:.0f}"


def told(toll: Toll) -> str:
    """What the kills have come to, in a sentence."""
    return (
        f"SQLite, {toll.kills} kills (SIGKILL) of the server, each right after a write "
        f"it had acknowledged while others were on their way:\n{toll.acknowledged} "
        f"acknowledged writes, {toll.lost} lost, {toll.unasked} done twice."
    )


if __name__ == "__main__":
    sys.exit(main())
