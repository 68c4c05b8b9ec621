"""``python -m benchmarks.websockets``: what a message costs, of trioweb and its peers.

A message there and back, of three sizes; a WebSocket on which nothing is said; and one
message to everybody in a room.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections import Counter
from collections.abc import Sequence
from functools import partial

from benchmarks.command import run_apart
from benchmarks.load import LoadFailed
from benchmarks.peer import NotInstalled, Peer
from benchmarks.progress import Progress
from benchmarks.results import record
from benchmarks.rounds import Spread
from benchmarks.serving import NotServing
from benchmarks.table import markdown
from benchmarks.websockets.peers import PEERS, TRIOWEB
from benchmarks.websockets.rounds import MESSAGES, Measured, measure_all, shares

ECHOES = (
    "message",
    "server",
    "CPU µs/message",
    "trioweb ÷ it",
    "messages/s",
    "p50, ms",
    "p99, ms",
    "RSS, MiB",
)

# Owners of less than this share of the time are left out.
_LEAST = 0.02


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare, print the tables, and record them if asked to; the exit code."""
    options = _parser().parse_args(arguments)
    return run_apart(partial(_run, options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.websockets")
    add = parser.add_argument
    names = [peer.name for peer in PEERS if peer is not TRIOWEB]
    add("--peers", nargs="*", default=names, choices=names, metavar="PEER")
    add("--rounds", type=int, default=5, help="default: %(default)s")
    add("--seconds", type=float, default=2, help="of each load; default: %(default)s")
    add("--members", type=int, default=1000, help="of the room; default: %(default)s")
    add("--write", action="store_true", help="record it in results.md")
    return parser


async def _run(options: argparse.Namespace) -> int:
    peers = [peer for peer in PEERS if peer.name in (TRIOWEB.name, *options.peers)]
    progress = Progress()
    try:
        measured = await measure_all(
            peers,
            progress,
            rounds=options.rounds,
            seconds=options.seconds,
            members=options.members,
        )
        spent = {}
        for message in MESSAGES:
            progress.show(f"where the time goes: {message.name}")
            spent[message.name] = await shares(message, options.seconds)
        names = "; ".join([await peer.described() for peer in peers])
    except (NotInstalled, NotServing, LoadFailed) as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    text = told(options, names, peers, measured, spent)
    print(text)
    if options.write:
        command = ["python", "-m", "benchmarks.websockets", *sys.argv[1:]]
        record("websockets", shlex.join(command), text)
    return 0


def told(
    options: argparse.Namespace,
    names: str,
    peers: Sequence[Peer],
    measured: Measured,
    spent: dict[str, Counter[str]],
) -> str:
    """All of it, with what has to be known to read it."""
    return (
        f"Medians of {options.rounds} interleaved rounds of {options.seconds:g} s, "
        "with the least and the most; the server on one core,\nits peers on another: "
        "one message there and back at a time on each of "
        f"{' / '.join(str(each.connections) for each in MESSAGES)} connections.\n"
        "Text, nothing compressed; each message is masked, and nothing is said after "
        "it until its echo has come.\n"
        f"{names}.\n\n{echoes(peers, measured)}\n\n"
        f"Of {options.members} WebSockets: what an idle one adds to the resident "
        "memory, and how long one message of 125 B\ntakes from one of them to the "
        f"last.\n\n{rooms(peers, measured)}\n\n"
        "Where trioweb's time goes, in samples of the processor's time (what is done "
        "in C counts for its caller):\n\n" + where(spent)
    )


def echoes(peers: Sequence[Peer], measured: Measured) -> str:
    """One row for each message and server."""
    return markdown(
        ECHOES,
        [
            [
                message.name,
                peer.name,
                f"{measured.spread(message.name, peer.name, 'processor'):.1f}",
                f"{measured.ratio(message.name, peer.name):.2f}",
                f"{measured.spread(message.name, peer.name, 'rate'):.0f}",
                f"{measured.spread(message.name, peer.name, 'p50'):.1f}",
                f"{measured.spread(message.name, peer.name, 'p99'):.1f}",
                f"{measured.spread(message.name, peer.name, 'rss').most / 2**20:.0f}",
            ]
            for message in MESSAGES
            for peer in peers
        ],
    )


def rooms(peers: Sequence[Peer], measured: Measured) -> str:
    """One row for each server."""
    return markdown(
        ("server", "KiB per idle WebSocket", "to the last member, ms"),
        [
            [
                peer.name,
                f"{measured.held[peer.name] / 1024:.1f}",
                f"{Spread.of(measured.casts[peer.name]):.1f}",
            ]
            for peer in peers
        ],
    )


def where(spent: dict[str, Counter[str]]) -> str:
    """One row for each message: whose code, and how much of the time it has."""
    rows = []
    for message, counts in spent.items():
        parts = [
            f"{owner} {count / counts.total():.0%}"
            for owner, count in counts.most_common()
            if count >= _LEAST * counts.total()
        ]
        rows.append([message, ", ".join(parts)])
    return markdown(("message", "whose code"), rows)


if __name__ == "__main__":
    sys.exit(main())
