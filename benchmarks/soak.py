"""``python -m benchmarks.soak``: whether a server stays as it is, hour after hour."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import trio

from benchmarks.attack import HEADINGS, SPARE, row
from benchmarks.attacks.known import CROWDED, MIXED, Attack
from benchmarks.command import run
from benchmarks.oracle import MIB
from benchmarks.progress import Progress
from benchmarks.results import record
from benchmarks.serving import NotServing
from benchmarks.slopes import settled, slope
from benchmarks.system import cores, pin, raise_descriptors
from benchmarks.table import markdown
from benchmarks.trial import AttackFailed, Sample, Trial, attempt

HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Measure:
    """Something that must not grow, and by how much an hour it may seem to."""

    name: str
    of: Callable[[Sample], float]
    bound: float


MEASURES = (
    Measure("RSS, MiB", lambda sample: sample.usage.rss / MIB, 1.0),
    # Those of peers come and go, forty or so; whether one of them stays for ever is
    # seen at the end.
    Measure("descriptors", lambda sample: float(sample.usage.descriptors), 20.0),
    Measure("threads", lambda sample: float(sample.usage.threads), 20.0),
    Measure("tasks", lambda sample: float(sample.tasks), 20.0),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Soak; 1 if something grows, or has not come back to what it was."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--peers", type=int, help="of the traffic")
    parser.add_argument(
        "--crowded", action="store_true", help="beside 10 000 idle connections"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the peers' chance")
    parser.add_argument(
        "--write", action="store_true", help="record the tables in results.md"
    )
    options = parser.parse_args(arguments)
    attack = CROWDED if options.crowded else MIXED
    peers = min(options.peers or attack.peers, raise_descriptors() - SPARE)
    pin(cores().others)
    return run(partial(_run, attack, options, peers))


async def _run(attack: Attack, options: argparse.Namespace, peers: int) -> int:
    try:
        trial = await attempt(
            attack,
            Progress(),
            seconds=options.minutes * 60,
            peers=peers,
            seed=options.seed,
        )
    except (NotServing, AttackFailed, OSError, trio.BrokenResourceError) as error:
        print(f"benchmarks.soak: {error}", file=sys.stderr)
        return 1
    stood = row(trial, peers)
    slopes = slope_rows(trial)
    text = "\n\n".join(
        [
            markdown(["held", "at the start", "at the end", "an hour", ""], slopes),
            markdown(HEADINGS, [stood]),
        ]
    )
    print(text)
    if options.write:
        command = ["python", "-m", "benchmarks.soak", *sys.argv[1:]]
        name = "crowded soak" if options.crowded else "soak"
        record(name, shlex.join(command), text)
    return 0 if all(each[-1] == "PASS" for each in (stood, *slopes)) else 1


def slope_rows(trial: Trial) -> list[list[str]]:
    """For each measure: its values once the beginning is over, its slope, its verdict.

    A run that is too short for its slopes to say anything still has them.
    """
    times = [sample.at / HOUR for sample in trial.samples]
    start = settled(times)
    rows = []
    for measure in MEASURES:
        values = [measure.of(sample) for sample in trial.samples[start:]]
        grows = slope(times[start:], values)
        rows.append(
            [
                measure.name,
                f"{_level(values[:100]):.1f}",
                f"{_level(values[-100:]):.1f}",
                f"{grows:+.2f}",
                "PASS" if grows <= measure.bound else f"FAIL: over {measure.bound:g}",
            ]
        )
    return rows


def _level(values: Sequence[float]) -> float:
    return sum(values) / len(values)


if __name__ == "__main__":
    sys.exit(main())
