"""Results: the file of recorded figures, one section for each command."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.system import machine

RESULTS = Path(__file__).parent / "results.md"

_TITLE = (
    "# Results\n\n"
    "Each section is written by its command when it is given `--write`.\n"
    "Figures belong to the machine, the date and the command that stand beside them.\n"
)


def record(section: str, command: str, text: str, *, path: Path = RESULTS) -> None:
    """Put *text*, with machine, date and *command*, in the place of *section*.

    The other sections of the file stay as they are.
    """
    now = datetime.now(UTC)
    head = f"{now:%Y-%m-%d %H:%M} UTC. {machine()}.\n\n    {command}\n"
    begin, end = f"<!-- {section}: begin -->", f"<!-- {section}: end -->"
    block = f"{begin}\n\n## {section.capitalize()}\n\n{head}\n{text}\n\n{end}"
    old = path.read_text() if path.exists() else _TITLE
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    if pattern.search(old):
        path.write_text(pattern.sub(lambda _: block, old))
    else:
        path.write_text(f"{old.rstrip()}\n\n{block}\n")
