"""The Autobahn cases about the protocol itself, against the probe's echo.

Those about permessage-deflate take minutes: ``python -m benchmarks.autobahn``.
"""

from __future__ import annotations

import re

from tests.clients.autobahn import PLAIN, verdicts
from tests.clients.process import ROOT, by_trioweb, serving

PAGE = (ROOT / "docs/why/autobahn.md").read_text("utf-8")

# The cases of the page's table: a row may have several.
EXCUSED = {
    case
    for row in re.findall(r"^\| ([\d., ]+) \|", PAGE, re.MULTILINE)
    for case in row.split(", ")
}


async def test_no_case_fails_and_what_is_not_strict_has_its_reason() -> None:
    command = [*by_trioweb("tests/apps/probe.py"), "--access-log", "off"]
    async with serving(command) as server:
        found = await verdicts(server.url.replace("http", "ws"), PLAIN)
        assert await server.stop() == 0
    assert len(found) == 301
    assert [each for each in found if each.failed] == []
    assert {each.case for each in found if not each.strict} <= EXCUSED
    assert b"Traceback" not in server.said
