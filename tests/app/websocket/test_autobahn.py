"""The Autobahn cases about the protocol itself, against the probe's echo.

Of those about permessage-deflate only some, as all of them take minutes: for that there
is ``python -m benchmarks.autobahn``.
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


# Short and long messages, of text and of what cannot be compressed, in many fragments;
# and each kind of offer.
SOME_DEFLATE = (
    *("12.1.1", "12.1.5", "12.2.1", "12.3.4", "12.4.3", "12.5.2", "12.1.11"),
    *(f"13.{offer}.1" for offer in range(1, 8)),
)


async def test_no_case_fails_and_what_is_not_strict_has_its_reason() -> None:
    command = [*by_trioweb("tests/apps/probe.py"), "--access-log", "off"]
    async with serving(command) as server:
        found = await verdicts(server.url.replace("http", "ws"), PLAIN)
        assert await server.stop() == 0
    assert len(found) == 301
    assert [each for each in found if each.failed] == []
    assert {each.case for each in found if not each.strict} <= EXCUSED
    assert b"Traceback" not in server.said


async def test_none_of_some_that_compress_fails() -> None:
    command = [*by_trioweb("tests/apps/probe.py"), "--access-log", "off"]
    async with serving(command) as server:
        found = await verdicts(server.url.replace("http", "ws"), SOME_DEFLATE)
        assert await server.stop() == 0
    assert len(found) == len(SOME_DEFLATE)
    assert {each.said for each in found} == {"OK"}
    assert b"Traceback" not in server.said
