"""docs/tls.md says what is: its programs run, and its table has every setting."""

from __future__ import annotations

import dataclasses
import re

import pytest

from tests.clients.process import ROOT
from trioweb.options import option
from trioweb.run.settings import KINDS
from trioweb.run.tls.config import TLS

PAGE = (ROOT / "docs/tls.md").read_text("utf-8")
PROGRAMS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
ROWS = re.findall(r"^\| (`[a-z_`, ]+) \| (.*?) \|", PAGE, re.MULTILINE)


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_programs_of_the_page_run(program: str) -> None:
    exec(compile(program, "docs/tls.md", "exec"), {"__name__": "page"})  # noqa: S102  # our own page


def test_every_setting_stands_in_the_table_with_its_option() -> None:
    named = [name for names, _ in ROWS for name in re.findall(r"`(\w+)`", names)]
    assert named == [field.name for field in dataclasses.fields(TLS)]
    options = [each for _, cell in ROWS for each in re.findall(r"`(--[\w-]+)`", cell)]
    told = [option(f"tls.{name}") for name in named if f"tls.{name}" in KINDS]
    assert set(options) <= set(told)
