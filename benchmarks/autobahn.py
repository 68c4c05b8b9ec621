"""``python -m benchmarks.autobahn [CASE ...]``: the Autobahn cases against our echo.

Without a CASE, as "9.*" or "12.1.1", all of them: some 520, of which those of groups
12 and 13, about permessage-deflate, take the most time.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence

import trio

from benchmarks.table import markdown
from tests.clients.autobahn import DEFLATE, PLAIN, Verdict, verdicts
from tests.clients.process import by_trioweb, serving

ECHO = "tests/apps/probe.py"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the cases, and show each whose verdict is not OK; 1 if one has failed."""
    options = _parser().parse_args(arguments)
    begun = time.monotonic()
    found = trio.run(_run, options.cases or [*PLAIN, *DEFLATE])
    print(_shown(found, time.monotonic() - begun))
    return int(any(each.failed for each in found))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.autobahn")
    parser.add_argument(
        "cases", nargs="*", metavar="CASE", help='as "9.*" or "12.1.1"; default: all'
    )
    return parser


async def _run(cases: Sequence[str]) -> list[Verdict]:
    async with serving([*by_trioweb(ECHO), "--access-log", "off"]) as server:
        return await verdicts(server.url.replace("http", "ws"), cases)


def _shown(found: Sequence[Verdict], seconds: float) -> str:
    odd = [
        (each.case, each.said, each.closed, each.why)
        for each in found
        if (each.said, each.closed) != ("OK", "OK")
    ]
    counted = Counter(each.said for each in found)
    words = ", ".join(f"{count} {what}" for what, count in counted.most_common())
    failed = sum(each.failed for each in found)
    rows = markdown(("case", "messages", "closing", "why"), odd) if odd else ""
    return f"{rows}\n\n{words}; {failed} failed; {seconds:.0f} s".lstrip()


if __name__ == "__main__":
    sys.exit(main())
