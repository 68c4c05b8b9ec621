"""Picture: what a request costs by each server, drawn as SVG.

A panel for each work, in the shorter of two columns, the cheapest server on top.
Bars are to scale from nought: where the dearest would leave no room for the others, its
bar is cut, shown as cut, and its figure stands beside it as any other's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from statistics import median

from benchmarks.rounds import Measured

# What is drawn, in its order, with what is said of it.
WORKS = {
    "plaintext": "“Hello, World!”",
    "headers": "with ten headers of a browser",
    "json": "a small object as JSON",
    "echo": "1 KiB, there and back",
    "connect": "on a new connection",
    "https": "over TLS 1.3",
    "typed": "a body of JSON, validated",
    "h2": "over HTTP/2",
}

# Who stands out: the one that is measured, and the one it is measured by.
OURS = "trioweb"
YARDSTICK = "node"

# Not drawn: ours without the lane, which is there to be compared with uvicorn on h11,
# and a server that has no application to ask.
LEFT_OUT = frozenset({"trioweb-h11", "nginx"})

# No bar is so many times as long as the longer of those two.
CUT = 4.0

# Pixels.  As wide as a README is on a screen.
WIDTH = 860
MARGIN = 20
TOP = 64
FOOT = 28
GUTTER = 36
HEADING = 30
BETWEEN = 16
ROW = 17
BAR = 11
NAMES = 96
FIGURES = 52

PANEL = (WIDTH - 2 * MARGIN - GUTTER) // 2
LENGTH = PANEL - NAMES - FIGURES

# Grey on white and on near black, with one colour for each of the two.
_STYLE = """
  text { font: 12px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif }
  .paper { fill: #ffffff } .name, .figure { fill: #57606a } .title { fill: #1f2328 }
  .bar { fill: #c3c9d0 } .ours { fill: #0f766e } .yardstick { fill: #d08c1d }
  .title { font-size: 13px; font-weight: 600 } .said, .foot { fill: #6e7781 }
  .head { font-size: 17px; font-weight: 600; fill: #1f2328 }
  .us { font-weight: 600; fill: #0f766e } .it { font-weight: 600; fill: #9a6510 }
  .cut { stroke: #ffffff; stroke-width: 3 }
  .figure { font-variant-numeric: tabular-nums } .axis { stroke: #afb8c1 }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #0d1117 } .name, .figure { fill: #9da7b1 }
    .title, .head { fill: #e6edf3 } .said, .foot { fill: #8b949e }
    .bar { fill: #3d444d } .ours { fill: #2aa79b } .yardstick { fill: #d9a441 }
    .us { fill: #4cc2b6 } .it { fill: #e3b562 }
    .cut { stroke: #0d1117 } .axis { stroke: #3d444d }
  }
"""


@dataclass(frozen=True, slots=True)
class Bar:
    """A server, and the µs of processor that a request costs it."""

    name: str
    cost: float


def picture(measured: Measured) -> str:
    """The panels of those works that were measured, as an SVG document."""
    panels = [(work, _bars(measured, work)) for work in WORKS]
    panels = [(work, bars) for work, bars in panels if bars]
    parts, columns = _head(), [TOP, TOP]
    for work, bars in panels:
        column = columns.index(min(columns))
        x = MARGIN + column * (PANEL + GUTTER)
        parts += _panel(x, columns[column], work, bars)
        columns[column] += HEADING + ROW * len(bars) + BETWEEN
    height = max(columns) + FOOT
    parts.append(_text(MARGIN, height - 16, _FOOT, "foot"))
    return _document(height, parts)


_FOOT = (
    "Medians of user and system time of a whole process tree.  A broken bar is not to "
    "scale.  All figures: benchmarks/results.md"
)


def complete(measured: Measured) -> bool:
    """Whether all that is drawn was measured."""
    return {*WORKS} <= {work for work, _ in measured}


def _bars(measured: Measured, work: str) -> list[Bar]:
    bars = [
        Bar(peer, median(each.processor for each in found))
        for (its, peer), found in measured.items()
        if its == work and peer not in LEFT_OUT
    ]
    return sorted(bars, key=lambda bar: bar.cost)


def _document(height: int, parts: Sequence[str]) -> str:
    size = f'width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
            "<title>Processor time for each request, by server</title>",
            f"<style>{_STYLE}</style>",
            f'<rect class="paper" width="{WIDTH}" height="{height}" rx="8"/>',
            *parts,
            "</svg>\n",
        ]
    )


def _head() -> list[str]:
    said = "Processor time for each request, µs"
    return [
        _text(MARGIN, 32, said, "head"),
        _text(MARGIN, 50, "Shorter is better.", "said"),
    ]


def _panel(x: float, y: float, work: str, bars: Sequence[Bar]) -> list[str]:
    most = longest(bars)
    title = f'<tspan class="title">{work}</tspan>'
    said = f'<tspan class="said" dx="8">{escape(WORKS[work])}</tspan>'
    parts = [f'<text x="{x}" y="{y + 16}">{title}{said}</text>']
    for number, bar in enumerate(bars):
        parts += _row(x, y + HEADING + number * ROW, bar, most)
    left, top = x + NAMES, y + HEADING - 4
    bottom = y + HEADING + len(bars) * ROW - 2
    parts.append(
        f'<line class="axis" x1="{left}" x2="{left}" y1="{top:g}" y2="{bottom:g}"/>'
    )
    return parts


def longest(bars: Sequence[Bar]) -> float:
    """The cost that the whole length stands for: the greatest, unless that is cut."""
    marked = [bar.cost for bar in bars if bar.name in {OURS, YARDSTICK}]
    greatest = max(bar.cost for bar in bars)
    return min(greatest, CUT * max(marked)) if marked else greatest


def _row(x: float, y: float, bar: Bar, most: float) -> list[str]:
    kind = {OURS: "ours", YARDSTICK: "yardstick"}.get(bar.name, "bar")
    emphasis = {OURS: " us", YARDSTICK: " it"}.get(bar.name, "")
    left, base = x + NAMES, y + BAR - 1.5
    length = LENGTH * min(1.0, bar.cost / most)
    place = f'x="{left}" y="{y:g}" width="{length:.1f}" height="{BAR}"'
    parts = [
        _text(left - 6, base, bar.name, f"name{emphasis}", end=True),
        f'<rect class="{kind}" {place} rx="1.5"/>',
        _text(left + length + 6, base, _figure(bar.cost), f"figure{emphasis}"),
    ]
    if bar.cost > most:
        parts += _cut(left + LENGTH - 22, y)
    return parts


def _cut(x: float, y: float) -> list[str]:
    rise = f'y1="{y + BAR + 1:g}" y2="{y - 1:g}"'
    return [
        f'<line class="cut" x1="{at:g}" x2="{at + 5:g}" {rise}/>' for at in (x, x + 7)
    ]


def _figure(cost: float) -> str:
    return f"{cost:.1f}" if cost < 100 else f"{cost:.0f}"


def _text(x: float, y: float, said: str, kind: str, *, end: bool = False) -> str:
    anchor = ' text-anchor="end"' if end else ""
    return f'<text class="{kind}" x="{x:g}" y="{y:g}"{anchor}>{escape(said)}</text>'
