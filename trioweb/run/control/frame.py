"""Frames: what the live view shows at one moment, as lines that fit the terminal."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from trioweb.run.control.protocol import Listing
from trioweb.run.control.table import table
from trioweb.run.control.units import duration, rate

# Seconds that are remembered: two minutes, as wide as most terminals at least.
REMEMBERED = 120

_BARS = " ▁▂▃▄▅▆▇█"
_QUIT = "q quits"
NONE = "No server with workers runs here: trioweb run TARGET --workers 2"


@dataclass(slots=True)
class Past:
    """How busy a server was, second by second."""

    rates: deque[float] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    loads: deque[float] = field(default_factory=lambda: deque(maxlen=REMEMBERED))

    def add(self, listing: Listing) -> None:
        """Remember one second more."""
        self.rates.append(sum(worker.rate for worker in listing.workers))
        self.loads.append(sum(worker.cpu for worker in listing.workers))


class History:
    """What is remembered of each server, by its process."""

    def __init__(self) -> None:
        self.of: dict[int, Past] = {}

    def add(self, listings: Sequence[Listing]) -> None:
        """Remember one second more; servers that have gone are forgotten."""
        kept = {each.pid: self.of.get(each.pid, Past()) for each in listings}
        for each in listings:
            kept[each.pid].add(each)
        self.of = kept


def frame(
    listings: Sequence[Listing],
    history: History,
    *,
    width: int,
    height: int,
    clock: str,
    colour: bool = True,
) -> list[str]:
    """At most *height* lines of *width* columns; the last says how to leave."""
    lines = [_between("trioweb monit", clock, width), ""]
    for each in listings:
        past = history.of.get(each.pid, Past())
        lines += _server(each, past, width, colour=colour)
        lines.append("")
    if not listings:
        lines += [NONE, ""]
    room = max(0, height - 1)
    if len(lines) > room:
        hidden = len(lines) - room + 1
        lines = [*lines[: room - 1], f"... {hidden} lines more"][:room]
    return [fitted(each, width) for each in [*lines, _QUIT]]


def _server(listing: Listing, past: Past, width: int, *, colour: bool) -> list[str]:
    ready = sum(worker.state == "ready" for worker in listing.workers)
    words = [
        listing.name,
        " ".join(listing.urls),
        f"{ready} of {listing.size} ready",
        f"up {duration(listing.uptime)}",
    ]
    if listing.stopping:
        words.append("stopping")
    load = past.loads[-1] if past.loads else 0.0
    pace = past.rates[-1] if past.rates else 0.0
    return [
        "  ".join(words),
        _graph("req/s", rate(pace), past.rates, width),
        _graph("CPU", f"{load:.0f} %", past.loads, width),
        *table([listing], colour=colour, named=False).splitlines(),
    ]


def _graph(name: str, now: str, values: Sequence[float], width: int) -> str:
    head = f"{name:<6}{now:>7}  "
    room = min(max(0, width - len(head)), REMEMBERED)
    shown = list(values)[-room:] if room else []
    highest = max(shown, default=0.0)
    return head + "".join(_bar(value, highest) for value in shown)


def _bar(value: float, highest: float) -> str:
    # A little is not nothing.
    least = 1 if value > 0 else 0
    return _BARS[max(least, round(value / highest * 8))] if highest > 0 else _BARS[0]


def _between(left: str, right: str, width: int) -> str:
    return f"{left}{right:>{max(len(right) + 1, width - len(left))}}"


def fitted(line: str, width: int) -> str:
    """As much of *line* as has room in *width* columns; colours take none."""
    shown, at, coloured = 0, 0, False
    while at < len(line) and (line[at] == "\x1b" or shown < width):
        if line[at] == "\x1b":
            end = line.find("m", at) + 1
            coloured = line[at:end] != "\x1b[0m"
            at = end
        else:
            shown, at = shown + 1, at + 1
    return line[:at] + ("\x1b[0m" if coloured else "")
