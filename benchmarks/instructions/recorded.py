"""Recorded: the figures in results.md, and whether those of today are dearer."""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.instructions.works import YARDSTICK
from benchmarks.results import RESULTS
from benchmarks.table import markdown

SECTION = "instructions"

HEADINGS = ("work", "thousand instructions", "× yardstick")

# A work that takes so many times what is recorded is told of: ten times as much as two
# runs differ by.
TOLD = 1.10

# And from here on it is a failure.  No sooner, because the same source takes more or
# less by another build of Python (with or without profile-guided optimisation: a fifth
# in all), by another OpenSSL, or by a processor for which another `memcpy` is chosen.
# Measuring by the yardstick takes most of that away, not all.
FAILURE = 1.25

_FOUND = re.compile(f"<!-- {SECTION}: begin -->(.*?)<!-- {SECTION}: end -->", re.DOTALL)
_ROW = re.compile(r"^\| (\S.*?) +\| ([\d.]+) +\| ([\d.]+) +\|$", re.MULTILINE)
_PYTHON = re.compile(r"Python (\d+\.\d+)")


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the works once took, as multiples of the yardstick; and by which Python."""

    python: str  # "3.11"
    times: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be said of today's figures, and whether it is a failure."""

    lines: Sequence[str]
    failed: bool


def read(path: Path = RESULTS) -> Recorded | None:
    """What is recorded at *path*, if anything is."""
    text = path.read_text() if path.exists() else ""
    section = _FOUND.search(text)
    python = _PYTHON.search(section[1]) if section else None
    if section is None or python is None:
        return None
    rows = _ROW.findall(section[1])
    return Recorded(python[1], {name: float(times) for name, _, times in rows})


def table(counts: Mapping[str, int]) -> str:
    """One row for each work: what is recorded."""
    return markdown(HEADINGS, [_row(name, counts) for name in counts])


def compared(counts: Mapping[str, int], recorded: Recorded | None) -> str:
    """The same, beside what is recorded."""
    rows = []
    for name in counts:
        then = recorded.times.get(name) if recorded else None
        change = f"{_change(_times(name, counts), then):+.1f} %" if then else ""
        rows.append([*_row(name, counts), f"{then:.3f}" if then else "", change])
    return markdown((*HEADINGS, "recorded", "change"), rows)


def judged(counts: Mapping[str, int], recorded: Recorded | None) -> Verdict:
    """What has become dearer or cheaper than *recorded*, and whether that fails."""
    if recorded is None:
        return Verdict(["Nothing is recorded; --write records these."], failed=False)
    major, minor, _ = platform.python_version_tuple()
    lines, failed = [], False
    for name in counts:
        then, now = recorded.times.get(name), _times(name, counts)
        if then is None or 1 / TOLD <= now / then <= TOLD:
            continue
        change = _change(now, then)
        word = "dearer" if change > 0 else "cheaper"
        lines.append(f"{name} is {abs(change):.0f} % {word} than recorded.")
        failed = failed or now / then > FAILURE
    # Each version of Python does the same by another number of instructions.
    if recorded.python != f"{major}.{minor}":
        lines.append(f"It was recorded by Python {recorded.python}: no failure.")
        failed = False
    return Verdict(lines or ["Nothing differs by 10 % from what is recorded."], failed)


def _row(name: str, counts: Mapping[str, int]) -> list[str]:
    return [name, f"{counts[name] / 1000:.1f}", f"{_times(name, counts):.3f}"]


def _times(name: str, counts: Mapping[str, int]) -> float:
    return counts[name] / counts[YARDSTICK.name]


def _change(now: float, then: float) -> float:
    """By how many per cent *now* is above *then*."""
    return 100 * (now / then - 1)
