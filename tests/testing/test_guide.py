"""The guide to testing does what it says: its examples are files, and are run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.clients.process import QUICKLY

pytest_plugins = ["pytester"]

GUIDE = Path(__file__).parents[2] / "docs" / "testing.md"

# A block of code whose first line is a comment with a file's name.
FILE = re.compile(r"^```(?:python|ini)\n# (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_every_example_of_the_guide_runs(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = GUIDE.read_text("utf-8")
    files = {Path(found[1]): found[2] for found in FILE.finditer(text)}
    assert len(files) == text.count("```python\n") + text.count("```ini\n")
    for name, code in files.items():
        pytester.path.joinpath(name).parent.mkdir(exist_ok=True)
        pytester.path.joinpath(name).write_text(code, "utf-8")
    monkeypatch.setenv("PYTHONPATH", str(pytester.path), prepend=":")

    tests = sum(code.count("async def test_") for code in files.values())
    with_anyio = files[Path("with_anyio/test_notes.py")].count("async def test_")

    options = ("-W", "error", *QUICKLY)
    trio = pytester.runpytest_subprocess(*options, "--ignore=with_anyio", timeout=60)
    trio.assert_outcomes(passed=tests - with_anyio)
    anyio = pytester.runpytest_subprocess(
        *options, "-c", "/dev/null", "with_anyio", timeout=60
    )
    anyio.assert_outcomes(passed=with_anyio)
