"""A live page: this process's clock and pulse, without a gap after a lost stream."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import trio
from msgspec import Struct

from trioweb import App, EventStream, NotFound, Request, Response, events, file, run
from trioweb.message.site import Site

PAGES = Path(__file__).parent / "pages/events"
PARTS = {"events.css", "events.js"}

STEP = 0.25  # seconds between two samples
KEPT = 240  # samples: a minute

app = App()


class Sample(Struct):
    """How this process was at one moment; its time is its id."""

    at: int  # milliseconds since 1970
    late: float  # milliseconds that its event loop woke up late
    busy: float  # percent of a core since the sample before
    watching: int  # pages


class Pulse:
    """The samples of the last minute, and those who wait for the next one."""

    def __init__(self) -> None:
        self.samples: deque[Sample] = deque(maxlen=KEPT)
        self.watching = 0  # pages
        self.turn = 0  # the streams of an earlier one end
        self._come = trio.Event()

    def add(self, sample: Sample) -> None:
        """Keep *sample*, and wake those who wait for it."""
        self.samples.append(sample)
        come, self._come = self._come, trio.Event()
        come.set()

    async def since(self, at: int) -> list[Sample]:
        """What came after *at*; waits until there is something."""
        while not (newer := [each for each in self.samples if each.at > at]):
            await self._come.wait()
        return newer


pulse = Pulse()


@app.lifespan
@asynccontextmanager
async def sampling(site: Site) -> AsyncIterator[None]:
    """Take samples while the application is served."""
    async with trio.open_nursery() as samplers:
        samplers.start_soon(sample_for_ever)
        yield
        samplers.cancel_scope.cancel()


async def sample_for_ever() -> None:
    """Take a sample at every step."""
    due, spent = trio.current_time() + STEP, time.process_time()
    while True:
        await trio.sleep_until(due)
        now, used = trio.current_time(), time.process_time()
        late = round((now - due) * 1000, 2)
        busy = round((used - spent) / STEP * 100, 1)
        at = time.time_ns() // 1_000_000
        pulse.add(Sample(at, late, busy, pulse.watching))
        due, spent = max(due + STEP, now), used


@app.get("/")
async def page(request: Request) -> Response:
    """Answer with the page."""
    return await file(PAGES / "events.html")


@app.get("/parts/{name}")
async def part(request: Request, name: str) -> Response:
    """Answer with one of the page's parts."""
    if name not in PARTS:
        raise NotFound(f"the page has no part {name!r}")
    return await file(PAGES / name, headers={"cache-control": "no-cache"})


@app.get("/pulse")
async def watch(request: Request) -> Response:
    """Send every sample that the page has not seen, the last minute's at first."""

    async def talk(stream: EventStream) -> None:
        # It says what it has heard last; and what a peer says may be anything.
        last = stream.last_event_id
        at = int(last) if last.isascii() and last.isdigit() and len(last) < 16 else 0
        stream.goodbye(event="bye")
        turn = pulse.turn
        pulse.watching += 1
        try:
            while turn == pulse.turn:
                for sample in await pulse.since(at):
                    await stream.send(sample, event="sample", id=sample.at)
                    at = sample.at
        finally:
            pulse.watching -= 1

    return events(talk, retry=2000)


@app.post("/cut")
async def cut(request: Request) -> None:
    """End every stream; the pages come back by themselves, and miss nothing."""
    pulse.turn += 1


if __name__ == "__main__":
    run(app, bind=sys.argv[1:] or "localhost:8080")
