"""``python -m benchmarks.instructions.parts FILE``: where the time of a request goes.

FILE is what ``py-spy record --format raw`` has written of a server of one process under
load.  With ``--of`` so many microseconds of user time a request, parts are told in µs.
System calls stand aside: py-spy stops a program to look at it, and finds it in the
kernel more often than it is there; their share is what /proc says.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.table import markdown

SYSTEM = "system calls"
OTHERS = "others"

# The functions that do next to nothing but a system call.
_CALLS = {
    "HubTransport._look",
    "HubTransport._try",
    "Hub._poll",
    "EpollIOManager._epoll_wait",
}

# Whose part a file is; of several beginnings the first counts.
_PARTS = (
    ("waking who waits", ("trioweb/run/hub.py", "trioweb/run/latch.py")),
    (
        "reading the request",
        (
            "trioweb/wire/plain.py",
            "trioweb/wire/inbound.py",
            "trioweb/wire/asked.py",
            "trioweb/message/request.py",
            "trioweb/rules/",
        ),
    ),
    (
        "writing the answer",
        (
            "trioweb/wire/lane.py",
            "trioweb/wire/outbound.py",
            "trioweb/message/response.py",
        ),
    ),
    ("route, handler, layers", ("trioweb/app/", "benchmarks/")),
    ("the books of the exchange", ("trioweb/",)),
    ("Trio's loop", ("trio/", "outcome/", "<attrs")),
)

# Every thread's samples are in the file; the event loop's have this in their stack.
_LOOP = "unrolled_run (trio/"

_FRAME = re.compile(r"(.+) \((.+?)(?::\d+)?\)")

# Functions that are told: those below are less than a hundredth each.
TOP = 25


@dataclass(frozen=True, slots=True)
class Shares:
    """How many samples fell into each part, and into each function outside SYSTEM."""

    parts: Counter[str] = field(default_factory=Counter)
    functions: Counter[str] = field(default_factory=Counter)

    @property
    def told(self) -> int:
        """The samples that count."""
        return self.parts.total() - self.parts[SYSTEM]


def shares(lines: Iterable[str]) -> Shares:
    """The shares in *lines*, a stack and a number each, of the event loop alone."""
    found = Shares()
    for line in lines:
        stack, _, number = line.rpartition(" ")
        frame = _FRAME.fullmatch(stack.rpartition(";")[2])
        if _LOOP not in stack or frame is None:
            continue
        function, file = frame.groups()
        part = _part(function, file)
        found.parts[part] += int(number)
        if part != SYSTEM:
            found.functions[f"{function}, {file}"] += int(number)
    return found


def _part(function: str, file: str) -> str:
    if function in _CALLS:
        return SYSTEM
    for part, files in _PARTS:
        if file.startswith(files):
            return part
    return OTHERS


def tables(found: Shares, microseconds: float | None) -> str:
    """The parts, and the functions that have most of them."""
    parts = [(name, n) for name, n in found.parts.most_common() if name != SYSTEM]
    both = (("part", parts), ("function", found.functions.most_common(TOP)))
    return "\n\n".join(
        markdown(
            (kind, "share", "µs"),
            [_row(name, number / found.told, microseconds) for name, number in rows],
        )
        for kind, rows in both
    )


def _row(name: str, share: float, microseconds: float | None) -> list[str]:
    time = "" if microseconds is None else f"{share * microseconds:.1f}"
    return [name, f"{100 * share:.1f} %", time]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.instructions.parts")
    parser.add_argument("file", type=Path)
    parser.add_argument("--of", type=float, metavar="MICROSECONDS")
    options = parser.parse_args(arguments)
    found = shares(options.file.read_text().splitlines())
    if not found.told:
        print("no sample of an event loop is in this file", file=sys.stderr)
        return 1
    print(tables(found, options.of))
    return 0


if __name__ == "__main__":
    sys.exit(main())
