"""The table of docs/security.md: every row is there, and every test that it names."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.process import ROOT

PAGE = (ROOT / "docs/security.md").read_text("utf-8")

# Rows with these letters and numbers; the others belong to what comes later.
ROWS = {
    f"{letter}{number}"
    for letter, numbers in {
        "F": range(1, 20),
        "H": range(1, 7),
        "L": {*range(1, 11)} - {5},
        "R": range(1, 7),
        "S": range(1, 13),
        "M": range(1, 25),
        "X": range(1, 13),
        "C": range(1, 9),
        "N": range(1, 14),
        "W": range(1, 14),
        "A": {7},
        "T": range(1, 11),
        "E": range(1, 12),
        "O": range(1, 7),
        "K": range(1, 15),
    }.items()
    for number in numbers
}

_ROW = re.compile(r"^\| ([A-Z][0-9]+) \| (.+) \| (.+) \|$", re.MULTILINE)
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)(?:\[([A-Z][0-9]+)\])?`")
_NAMED = re.compile(r"test_([a-z][0-9]+)_")
_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)

TABLE = {row: (says, shown) for row, says, shown in _ROW.findall(PAGE)}


@functools.cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def functions_of(path: Path) -> set[str]:
    """The test functions of a file, by their names."""
    return {
        node.name
        for node in parsed(path).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    }


def has_case(path: Path, row: str) -> bool:
    """Whether some text in a file, as the id of a case, names the row."""
    word = re.compile(rf"\b{row}\b")
    return any(
        isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and word.search(node.value)
        for node in ast.walk(parsed(path))
    )


def named_after_a_row() -> Iterator[tuple[str, str]]:
    """Each row that a test's name begins with, and that test as the table writes it."""
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for name in sorted(functions_of(path)):
            match = _NAMED.match(name)
            if match is not None and match[1].upper() in ROWS:
                yield match[1].upper(), f"{path.relative_to(ROOT)}::{name}"


def test_every_row_stands_in_the_table_once() -> None:
    assert set(TABLE) == ROWS
    assert len(_ROW.findall(PAGE)) == len(ROWS)


@pytest.mark.parametrize("row", sorted(ROWS))
def test_the_tests_of_a_row_exist(row: str) -> None:
    says, shown = TABLE[row]
    found = _TEST.findall(shown)
    assert found or says.startswith("Applies to what is not yet built: ")
    assert len(found) == len(shown.split()) or shown == "—"
    for file, name, case in found:
        assert name in functions_of(ROOT / file), f"{file}::{name}"
        assert case in {"", row}
        assert not case or has_case(ROOT / file, case), f"{file} has no case of {case}"


def test_every_test_that_is_named_after_a_row_stands_in_it() -> None:
    missing = [
        f"| {row} | … `{test}` |"
        for row, test in named_after_a_row()
        if f"`{test}" not in TABLE[row][1]
    ]
    lines = "\n".join(missing)
    assert not missing, f"write into docs/security.md:\n{lines}"


def test_no_row_says_more_than_its_line() -> None:
    for says, _ in TABLE.values():
        assert says.endswith(".")
        assert len(says) < 300


@pytest.mark.parametrize("block", _BLOCK.findall(PAGE))
def test_the_programs_of_the_page_run(block: str) -> None:
    exec(compile(block, "docs/security.md", "exec"), {"__name__": "page"})  # noqa: S102  # our own page
