"""Sessions of several workers: what was acknowledged is kept, whoever dies."""

from __future__ import annotations

import json
import re
import signal
from dataclasses import dataclass, field

import trio

from tests.clients.process import ROOT, by_trioweb
from tests.run.cluster.crews import Crew, crewed, said

# Visitors at once, all with the cookie of one browser.
VISITORS = 100

# Processes killed, and reloads, one of each in turn.
TURNS = 2

_COOKIE = re.compile(rb"(?i)\r\nset-cookie: ([^;]+)")
_COUNTED = re.compile(rb'"counted":(\d+)')


@dataclass
class Visits:
    """One session's counter: what was acknowledged, and what has failed."""

    crew: Crew
    cookie: bytes = b""
    counted: list[int] = field(default_factory=list)
    failed: int = 0
    refused: int = 0  # were told that the store takes too long

    async def visit(self, method: bytes = b"POST") -> int | None:
        """Count one more (or look, by GET); None where no answer came."""
        head = method + b" /visits HTTP/1.1\r\nhost: a\r\nconnection: close\r\n"
        head += b"cookie: " + self.cookie + b"\r\n" if self.cookie else b""
        head += b"content-length: 0\r\n\r\n"
        received = b""
        try:
            async with await trio.open_tcp_stream(
                self.crew.host, self.crew.port
            ) as stream:
                await stream.send_all(head)
                async for piece in stream:
                    received += piece
        except trio.BrokenResourceError:
            return None
        self.refused += received.startswith(b"HTTP/1.1 503 ")
        if (found := _COUNTED.search(received)) is None or b" 200 " not in received:
            return None
        if new := _COOKIE.search(received):
            self.cookie = new[1]
        return int(found[1])

    async def keep_on(self, over: trio.Event) -> None:
        """Count until it is over."""
        while not over.is_set():
            number = await self.visit()
            if number is None:
                self.failed += 1
            else:
                self.counted.append(number)


async def test_a_hundred_visitors_count_right_through_kills_and_reloads() -> None:
    command = by_trioweb(ROOT / "examples/showcase.py")
    command += ["--workers", "2", "--access-log", "off"]
    command[command.index("localhost:0")] = "127.0.0.1:0"
    async with crewed(program=command) as crew:
        visits = Visits(crew)
        with trio.fail_after(30):
            assert await visits.visit() == 1
        assert visits.cookie
        over = trio.Event()
        with trio.fail_after(150):
            async with trio.open_nursery() as visiting:
                for _ in range(VISITORS):
                    visiting.start_soon(visits.keep_on, over)
                for _ in range(TURNS):
                    crew.kill(await one_that_answers(visits))
                    await later(visits)
                    crew.kill(crew.pid, signal.SIGHUP)
                    await later(visits)
                over.set()
            last = await visits.visit(b"GET")
        assert last is not None
        assert len(set(visits.counted)) == len(
            visits.counted
        )  # each a number of its own
        # Some were counted though their worker died before it could say so.
        assert (
            1 + len(visits.counted) <= last <= 1 + len(visits.counted) + visits.failed
        )
        assert max(visits.counted) <= last
        # Whoever is reset may meet the same worker once more before it is gone.
        # A machine that is busy with other things keeps the store waiting, too.
        assert visits.failed - visits.refused <= 2 * VISITORS * TURNS
        assert await crew.stop() == 0
        # One of them may have been about to leave, which nobody is told of.
        assert 1 <= said(crew.server).count("SIGKILL") <= TURNS


async def one_that_answers(visits: Visits) -> int:
    """A worker of those that serve."""
    while True:
        answer = await visits.crew.ask("GET /visits")
        if (
            answer
            and (pid := json.loads(answer)["by process"]) in visits.crew.workers()
        ):
            return int(pid)


async def later(visits: Visits) -> None:
    """Wait until a hundred more were counted, by whoever is there now."""
    enough = len(visits.counted) + VISITORS
    while len(visits.counted) < enough:  # noqa: ASYNC110  # there is no event
        await trio.sleep(0.01)
