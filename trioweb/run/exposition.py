"""Exposition: figures in the text form that Prometheus reads (version 0.0.4)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from trioweb.message.measures import Family, Series

Measured = tuple[Family, Iterable[Series]]

# What is whole below this is a whole number also as a float.
_EXACT = 2.0**53


def exposition(measured: Iterable[Measured]) -> str:
    """*measured* as text, families by their names.

    >>> family = Family("orders_total", "counter", "Orders.", ("paid",))
    >>> print(exposition([(family, [Series(("card",), (3.0,))])]), end="")
    # HELP orders_total Orders.
    # TYPE orders_total counter
    orders_total{paid="card"} 3
    """
    by_name = sorted(measured, key=lambda each: each[0].name)
    return "".join(
        f"{line}\n" for family, series in by_name for line in _lines(family, series)
    )


def _lines(family: Family, series: Iterable[Series]) -> Iterator[str]:
    name = family.name
    # In a help quotation marks stand for themselves.
    help_ = family.help.replace("\\", r"\\").replace("\n", r"\n")
    yield f"# HELP {name} {help_}"
    yield f"# TYPE {name} {family.kind}"
    for each in series:
        pairs = [
            f'{label}="{_escape(value)}"'
            for label, value in zip(family.labels, each.labels, strict=True)
        ]
        if family.kind == "histogram":
            yield from _histogram(family, pairs, each.values)
        else:
            yield f"{name}{_braced(pairs)} {_number(each.values[0])}"


def _histogram(
    family: Family, pairs: list[str], values: tuple[float, ...]
) -> Iterator[str]:
    *counts, total = values
    ends = [*map(_number, family.bounds), "+Inf"]
    below = 0.0
    for end, count in zip(ends, counts, strict=True):
        below += count  # buckets contain all those before them
        labels = _braced([*pairs, f'le="{end}"'])
        yield f"{family.name}_bucket{labels} {_number(below)}"
    yield f"{family.name}_sum{_braced(pairs)} {_number(total)}"
    yield f"{family.name}_count{_braced(pairs)} {_number(below)}"


def _braced(pairs: list[str]) -> str:
    return f"{{{','.join(pairs)}}}" if pairs else ""


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
    whole = abs(value) < _EXACT and value == int(value)
    return str(int(value)) if whole else repr(float(value))


def _escape(text: str) -> str:
    escaped = text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
    # A lone surrogate is written nowhere.
    return escaped.encode("utf-8", "replace").decode()
