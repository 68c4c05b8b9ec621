"""``python -m benchmarks.attack``: what a server does while it is under attack."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from functools import partial

import trio

from benchmarks.attacks.known import ATTACKS, Attack
from benchmarks.command import run
from benchmarks.oracle import MIB, Figures, faults, quantile
from benchmarks.progress import Progress
from benchmarks.results import record
from benchmarks.serving import NotServing
from benchmarks.system import cores, pin, raise_descriptors
from benchmarks.table import markdown
from benchmarks.trial import AttackFailed, Trial, attempt

HEADINGS = (
    "attack",
    "peers",
    "connections: how they ended",
    "canary p50 / p99 / p99.9 / max, ms",
    "server CPU",
    "RSS, MiB",
    "descriptors",
    "tasks",
    "threads",
    "verdict",
)

# Descriptors that each end of an attack needs besides one for each peer.
SPARE = 512


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the attacks asked for; 1 if the server has not stood one of them."""
    options = _parser().parse_args(arguments)
    chosen = [
        attack
        for attack in ATTACKS
        if not options.attacks or attack.name in options.attacks
    ]
    most = raise_descriptors() - SPARE
    pin(cores().others)
    return run(partial(_run, chosen, options, most))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.attack")
    names = [attack.name for attack in ATTACKS]
    parser.add_argument(
        "attacks", nargs="*", choices=[*names, []], metavar="NAME",
        help=f"any of {', '.join(names)}; default: all",
    )  # fmt: skip
    parser.add_argument("--seconds", type=float, help="of each attack, at most")
    parser.add_argument("--peers", type=int, help="of each attack")
    parser.add_argument("--seed", type=int, default=1, help="of the peers' chance")
    parser.add_argument(
        "--write", action="store_true", help="record the table in results.md"
    )
    return parser


async def _run(chosen: Sequence[Attack], options: argparse.Namespace, most: int) -> int:
    progress = Progress()
    rows, stood = [], True
    for attack in chosen:
        peers = min(options.peers or attack.peers, most)
        try:
            trial = await attempt(
                attack,
                progress,
                seconds=options.seconds or attack.seconds,
                peers=peers,
                seed=options.seed,
            )
        except (NotServing, AttackFailed, OSError, trio.BrokenResourceError) as error:
            rows.append([attack.name, str(peers), *["–"] * 7, f"FAIL: {error}"])
            stood = False
        else:
            rows.append(row(trial, peers))
            stood = stood and rows[-1][-1] == "PASS"
        progress.keep(f"{attack.name:14} {rows[-1][-1]}")
    table = markdown(HEADINGS, rows)
    print(table)
    if options.write:
        record("attacks", shlex.join(["python", "-m", *_command()]), table)
    return 0 if stood else 1


def row(trial: Trial, peers: int) -> list[str]:
    """The line of *trial* in the table, its verdict last."""
    figures, cost = trial.figures, trial.figures.cost
    before, peak, after = figures.before, figures.peak, figures.after
    most = max((sample.tasks for sample in trial.samples), default=before.tasks)
    found = faults(figures, trial.attack.bounds)
    return [
        trial.attack.name,
        str(peers),
        _endings(figures),
        _canary(figures),
        f"{cost.processor / cost.seconds:.0%}, waited {cost.disturbed:.2f} s",
        _memory(figures),
        f"{before.usage.descriptors} → {peak.descriptors} → {after.usage.descriptors}",
        f"{before.tasks} → {most} → {after.tasks}",
        f"{before.threads} → {peak.threads} → {after.threads}",
        f"FAIL: {'; '.join(found)}" if found else "PASS",
    ]


def _endings(figures: Figures) -> str:
    tally = figures.tally
    ended = ", ".join(
        f"{ending} ×{count}" for ending, count in sorted(tally.endings.items())
    )
    oldest = f"{tally.opened} in {figures.cost.seconds:.0f} s: {ended}; oldest "
    return f"{oldest}{tally.longest:.1f} s"


def _memory(figures: Figures) -> str:
    before = figures.before.usage.rss / MIB
    peak = figures.peak.rss / MIB - before
    after = figures.after.usage.rss / MIB - before
    return f"{before:.1f}, {peak:+.1f}, after {after:+.1f}"


def _canary(figures: Figures) -> str:
    waits = figures.answered
    failed = len(figures.waits) - len(waits)
    times = _times(waits)
    if figures.opening:
        times += f"; once all were there {_times(figures.held)}"
    return f"{times}; {failed} of {len(figures.waits)} failed" if failed else times


def _times(waits: Sequence[float]) -> str:
    shares = (0.5, 0.99, 0.999, 1)
    return " / ".join(f"{quantile(waits, share):.1f}" for share in shares)


def _command() -> list[str]:
    return ["benchmarks.attack", *sys.argv[1:]]


if __name__ == "__main__":
    sys.exit(main())
