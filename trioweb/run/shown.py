"""Shown: a config for people and for programs, with where each value comes from."""

from __future__ import annotations

import json
from collections.abc import Iterator

from trioweb.run.settings import KINDS, NONE, Settled, value_of

# What a value comes from that nobody has given.
DEFAULT = "default"


def as_toml(settled: Settled) -> str:
    """Every setting, as a ``trioweb.toml`` that says the same; comments say where from.

    "none" stands for no value.
    """
    # What belongs to no table stands before the first: TOML has no way back.
    names = sorted(KINDS, key=lambda name: "." in name)
    rows = [(name, *_row(settled, name)) for name in names]
    width = max(len(said) for _, said, _ in rows)
    lines = []
    table = ""
    for name, said, origin in rows:
        own, _, _ = name.rpartition(".")
        if own != table:
            table = own
            lines += ["", f"[{table}]"]
        lines.append(f"{said.ljust(width)}  # {origin}")
    return "\n".join(lines)


def as_json(settled: Settled) -> str:
    """Every setting by its full name: its value, null for none, and where from."""
    found = {
        name: {"value": value_of(settled.config, name), "from": _origin(settled, name)}
        for name in KINDS
    }
    return json.dumps(found, indent=2)


def _row(settled: Settled, name: str) -> tuple[str, str]:
    value = _toml(value_of(settled.config, name))
    return f"{name.rpartition('.')[2]} = {value}", _origin(settled, name)


def _origin(settled: Settled, name: str) -> str:
    setting = settled.given.get(name)
    source = DEFAULT if setting is None else setting.source
    return "".join(_printable(source))  # a file may be called anything


def _printable(text: str) -> Iterator[str]:
    for each in text:
        yield each if each.isprintable() else each.encode("unicode_escape").decode()


def _toml(value: object) -> str:
    if value is None:
        return f'"{NONE}"'
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_toml, value))}]"
    # Numbers and texts are written in JSON as in TOML.
    return json.dumps(value, ensure_ascii=False)
