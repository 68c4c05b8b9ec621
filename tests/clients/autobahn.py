"""The cases of the Autobahn test suite, run by kosoku against an echo.

``python -m tests.clients.autobahn URL CASE ...`` is the process they run in: kosoku
wants a loop of asyncio, and threads that stay.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, cast

import msgspec
import trio
from kosoku import FailureError, run_fuzzingclient
from kosoku.cases import CASES

# All that say something about the protocol, and those about permessage-deflate.  The
# suite has no group 8 and no group 11.
PLAIN = tuple(f"{group}.*" for group in (1, 2, 3, 4, 5, 6, 7, 9, 10))
DEFLATE = ("12.*", "13.*")

# Verdicts of a case whose peer did nothing wrong.
GOOD = frozenset({"OK", "NON-STRICT", "INFORMATIONAL"})

# Cases at a time: some wait a second between two fragments.
AT_ONCE = 4


class Verdict(msgspec.Struct, frozen=True):
    """What became of one case: *said* of the messages, *closed* of how it ended."""

    case: str
    said: str
    closed: str
    code: int | None  # of the peer's Close
    why: str

    @property
    def failed(self) -> bool:
        """Whether the peer did what it must not."""
        return not {self.said, self.closed} <= GOOD

    @property
    def strict(self) -> bool:
        """Whether the peer did all that it should, too."""
        return self.said != "NON-STRICT"


async def verdicts(url: str, cases: Sequence[str]) -> list[Verdict]:
    """What becomes of *cases*, as "9.*", against the echo at *url*, in their order."""
    command = [sys.executable, "-m", "tests.clients.autobahn", url, *cases]
    # Nothing of ours runs in it that is to be measured, which would take a minute more.
    env = {name: os.environ[name] for name in os.environ if "COVERAGE" not in name}
    done = await trio.run_process(command, capture_stdout=True, env=env)
    return msgspec.json.decode(done.stdout, type=list[Verdict])


def _as_bytes(hear: Callable[[Any, str | bytes, bool], None]) -> Callable[..., None]:
    # kosoku 0.1 hands a message that came uncompressed over as text of its bytes, which
    # the cases that compress cannot hash; a short one may come so (RFC 7692 section 6).
    def heard(case: object, message: str | bytes, binary: bool) -> None:
        if isinstance(message, str):
            message = message.encode("latin-1")
        hear(case, message, binary)

    return heard


async def _run(url: str, cases: Sequence[str]) -> list[Verdict]:
    for name, case in cast("dict[str, Any]", CASES).items():
        if name.startswith(("12.", "13.")):
            case.onMessage = _as_bytes(case.onMessage)
    try:
        results = await run_fuzzingclient(url, cases, None, AT_ONCE)
    except FailureError as failure:
        results = failure.results
    return [
        Verdict(
            each.case_id,
            each.behavior.value,
            each.behavior_close.value,
            each.remote_close_code,
            f"{each.result} {each.result_close}",
        )
        for each in results
    ]


if __name__ == "__main__":
    found = asyncio.run(_run(sys.argv[1], sys.argv[2:]))
    sys.stdout.buffer.write(msgspec.json.encode(found))
    sys.stdout.flush()
    # Its threads outlive the loop, and now and then abort an interpreter that ends.
    os._exit(0)
