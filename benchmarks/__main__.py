"""``python -m benchmarks``: what a request costs, of trioweb and of its peers.

What is compared is chosen by ``--work`` and ``--peers``; how long it will take is said
before it begins.  WebSockets and the stores of sessions have commands of their own:
``python -m benchmarks.websockets`` and ``python -m benchmarks.sessions``.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from benchmarks import h2load, report, wrk
from benchmarks.command import run_apart
from benchmarks.comparison import HOLDINGS, Comparison, Found, able, expected
from benchmarks.forecast import span
from benchmarks.goals import judged
from benchmarks.load import LoadFailed
from benchmarks.material import Material, made
from benchmarks.memos import Rate, rates
from benchmarks.peer import NotInstalled, Peer
from benchmarks.peers import PEERS, TRIOWEB
from benchmarks.picture import complete, picture
from benchmarks.progress import Progress
from benchmarks.results import record
from benchmarks.serving import NotServing
from benchmarks.works import HOLDS, WORKS, Hold, Work

PICTURE = Path(__file__).parent.parent / "docs" / "performance.svg"

_MEMOS = (
    "What trioweb's memos have been asked, and how often they knew; in a run of their "
    "own of a second for each work."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare, print the tables, and record them if asked to; the exit code."""
    options = _parser().parse_args(arguments)
    return run_apart(partial(_run, options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    peers = {peer.name: peer for peer in PEERS if peer is not TRIOWEB}
    add = parser.add_argument
    for option, known in (
        ("--work", {work.name: work for work in (*WORKS, *HOLDS)}),
        ("--peers", peers),
    ):
        names = ",".join(known)
        kind = partial(_named, known)
        add(option, type=kind, default=names, help=f"default: {names}")
    add("--rounds", type=int, default=9, help="default: %(default)s")
    add("--seconds", type=int, default=2, help="of each load; default: %(default)s")
    add(
        "--write",
        action="store_true",
        help=f"record the tables in results.md, and draw {PICTURE.name} of all works",
    )
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
        with made() as material:
            names, found, remembered = await _compared(options, material, progress)
    except (NotInstalled, NotServing, LoadFailed) as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    text = f"{_explained(options)}\n\n{'; '.join(names)}.\n\n{told(found, remembered)}"
    print(text)
    if options.write:
        command = ["python", "-m", "benchmarks", *sys.argv[1:]]
        record(section(options.work), shlex.join(command), text)
        if complete(found.loads):
            PICTURE.write_text(picture(found.loads))
    return 1 if found.failures else 0


async def _compared(
    options: argparse.Namespace, material: Material, progress: Progress
) -> tuple[list[str], Found, list[Rate]]:
    works: list[Work | Hold] = options.work
    peers: list[Peer] = [TRIOWEB, *options.peers]
    peers = [peer for peer in peers if any(able(work, [peer]) for work in works)]
    for peer in peers:
        progress.show(f"installing {peer.name}")
        await peer.install()
    names = [await peer.described() for peer in peers]
    left = expected(works, peers, options.rounds, options.seconds)
    progress.keep(
        f"{len(works)} works, {len(peers)} servers, {options.rounds} rounds: "
        f"about {span(left.expected)}"
    )
    remembered = await rates(works, material, progress)
    comparison = Comparison(options.rounds, options.seconds, material, progress, left)
    return names, await comparison.of(works, peers), remembered


def section(works: Sequence[Work | Hold]) -> str:
    """Where it is recorded: what is less than all does not take the place of all."""
    if [*works] == [*WORKS, *HOLDS]:
        return "comparison"
    return f"comparison by {', '.join(work.name for work in works)}"


def _explained(options: argparse.Namespace) -> str:
    return (
        f"Medians of {options.rounds} interleaved rounds of {options.seconds} s, with "
        "the least and the most;\nthe server on one core, the generator on another; "
        f"two workers on both.\nHTTP/1.1 is asked by wrk on {wrk.CONNECTIONS} "
        f"connections, h2 by h2load on {h2load.CONNECTIONS} with {h2load.STREAMS} "
        "streams each,\nor one for 4 MiB; handshakes by h2load, "
        f"{h2load.BURST} at a time, of which none resumes another.\n"
        f"Connections are held in {min(options.rounds, HOLDINGS)} rounds, each time by "
        "a new server.\n"
        "The ratio is of each round against itself: below 1, trioweb is the cheaper.\n"
        "WebSockets are compared by `python -m benchmarks.websockets`."
    )


def told(found: Found, remembered: Sequence[Rate]) -> str:
    """Every table of which there are figures."""
    parts = []
    if found.loads:
        parts.append(report.loads(found.loads))
    if found.holds:
        parts.append(report.holds(found.holds))
    if verdicts := judged(found):
        parts.append(report.goals(verdicts))
    if remembered:
        parts.append(f"{_MEMOS}\n\n{report.memos(remembered)}")
    if found.failures:
        parts.append(report.failures(found))
    return "\n\n".join(parts)


if __name__ == "__main__":
    sys.exit(main())
