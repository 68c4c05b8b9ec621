"""The table of workers, for people: aligned, in units, with colours where they help."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from trioweb.run.control.protocol import Listing, Worker
from trioweb.run.control.units import duration, rate, size

_HEAD = (
    "NAME",
    "WORKER",
    "PID",
    "STATE",
    "UPTIME",
    "RESTARTS",
    "CONNECTIONS",
    "REQ/S",
    "CPU",
    "MEMORY",
)

# The columns with words, which begin at the left; numbers end at the right.
_WORDS = frozenset({"NAME", "STATE"})

_COLOURS = {"ready": "32", "starting": "36", "draining": "33"}  # else red


@dataclass(frozen=True, slots=True)
class Cell:
    """A word in a table, and the SGR parameter of its colour."""

    text: str
    colour: str = ""


def table(listings: Sequence[Listing], *, colour: bool, named: bool = True) -> str:
    """A line for each worker of every server; without the name unless *named*."""
    rows = [_row(listing, worker) for listing in listings for worker in listing.workers]
    rows.insert(0, [Cell(each, "1") for each in _HEAD])
    if not named:
        rows = [row[1:] for row in rows]
    return "\n".join([*_aligned(rows, colour=colour), *faults(listings)])


def faults(listings: Iterable[Listing]) -> list[str]:
    """A line for each worker that there should be, with why it is not there."""
    return [
        f"worker {worker.worker} of {listing.name} does not start: {worker.fault}"
        for listing in listings
        for worker in listing.workers
        if worker.fault
    ]


def _row(listing: Listing, worker: Worker) -> list[Cell]:
    down = not worker.pid
    words = [
        str(worker.worker),
        "-" if down else str(worker.pid),
        worker.state,
        "-" if down else duration(worker.uptime),
        str(worker.restarts),
        str(worker.connections),
        rate(worker.rate),
        f"{worker.cpu:.0f} %",
        size(worker.memory) if worker.memory else "-",
    ]
    cells = [Cell(listing.name), *map(Cell, words)]
    cells[3] = Cell(worker.state, _COLOURS.get(worker.state, "31"))
    return cells


def _aligned(rows: Sequence[Sequence[Cell]], *, colour: bool) -> list[str]:
    columns = list(zip(*rows, strict=True))
    widths = [max(len(cell.text) for cell in column) for column in columns]
    left = [column[0].text in _WORDS for column in columns]
    lines = []
    for row in rows:
        cells = zip(row, widths, left, strict=True)
        line = "  ".join(
            _painted(cell, width, left=words, colour=colour)
            for cell, width, words in cells
        )
        lines.append(line.rstrip())
    return lines


def _painted(cell: Cell, width: int, *, left: bool, colour: bool) -> str:
    padding = " " * (width - len(cell.text))
    text = cell.text
    if colour and cell.colour:
        text = f"\x1b[{cell.colour}m{text}\x1b[0m"
    return text + padding if left else padding + text
