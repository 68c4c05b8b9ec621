"""Havoc: what is done to a server with workers, and what its peers saw of it."""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

import trio

from benchmarks.crew import LOOK, PATIENCE, Crew, crewed
from benchmarks.serving import NotServing, ask, get

# Peers that write, each one request at a time on a connection of its own.
WRITERS = 8

# Connections of wrk beside them.
KILLING = 64
RELOADING = 200

# Seconds between two kills, when somebody is ready.
PAUSE = 0.2

# Seconds after the start within which a signal comes: a start takes less than half.
MOMENTS = 0.8

Show = Callable[[str], None]

_REQUESTS = re.compile(r"(\d+) requests in")
_ERRORS = re.compile(
    r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)"
)
_OTHERS = re.compile(r"Non-2xx or 3xx responses: (\d+)")


@dataclass
class Seen:
    """What the peers of one server saw."""

    done: int = 0  # kills, reloads or starts
    answered: int = 0
    refused: int = 0
    failed: int = 0
    bound: int = 0  # of what may have failed: in flight when a worker was killed
    kept: list[str] = field(default_factory=list)  # writes that were acknowledged
    lost: int = 0  # of those
    waits: list[float] = field(default_factory=list)  # of the writers, ms
    faults: list[str] = field(default_factory=list)

    def judge(self) -> list[str]:
        """What the server has not stood; nothing if it has stood all."""
        found = list(self.faults)
        if self.refused:
            found.append(f"{self.refused} refused")
        if self.failed > self.bound:
            found.append(f"{self.failed} failed, and no more than {self.bound} may")
        if self.lost:
            found.append(f"{self.lost} acknowledged writes lost")
        return found


async def kills(seconds: float, seed: int, show: Show) -> Seen:
    """Kill a worker that is ready each 0.2 s, under wrk and peers that write."""
    seen, chance = Seen(), random.Random(seed)
    async with crewed() as crew:
        port = await crew.serving()
        await ready(crew, port, 2)
        async with _load(crew, port, KILLING, seen):
            end = trio.current_time() + seconds
            while trio.current_time() < end:
                show(f"kills: {seen.done}, {end - trio.current_time():.0f} s left")
                victims = await ready(crew, port, chance.randint(1, 2))
                os.kill(chance.choice(victims), signal.SIGKILL)
                seen.done += 1
                await trio.sleep(PAUSE)
        seen.bound = seen.done * (KILLING + WRITERS)
        await _end(crew, seen)
    return seen


async def reloads(count: int, show: Show) -> Seen:
    """Reload again and again, under wrk and peers that write."""
    seen = Seen()
    async with crewed() as crew:
        port = await crew.serving()
        before = set(await ready(crew, port, 2))
        async with _load(crew, port, RELOADING, seen):
            for number in range(count):
                show(f"reloads: {number} of {count}")
                crew.process.send_signal(signal.SIGHUP)
                before = set(await ready(crew, port, 2, but=before))
                seen.done += 1
        await _end(crew, seen)
    return seen


async def starts(count: int, seed: int, show: Show) -> Seen:
    """SIGTERM at random moments of the start."""
    seen, chance = Seen(), random.Random(seed)
    for number in range(count):
        show(f"starts: {number} of {count}")
        moment = chance.random() * MOMENTS
        async with crewed() as crew:
            with trio.move_on_after(moment):
                while True:
                    crew.look()
                    await trio.sleep(LOOK)
            crew.process.send_signal(signal.SIGTERM)
            code, left = await crew.ended(), await crew.orphans()
            if code != 0 or left or "Traceback" in crew.said:
                seen.faults.append(f"code {code} and {left} left at {moment:.3f} s")
        seen.done += 1
    return seen


async def ready(
    crew: Crew, port: int, count: int, *, but: AbstractSet[int] = frozenset()
) -> list[int]:
    """Wait until *count* workers, none of *but*, have answered; their process ids."""
    found: set[int] = set()
    with trio.fail_after(PATIENCE):
        while len(found) < count:
            with contextlib.suppress(OSError, NotServing, trio.BrokenResourceError):
                answer = await get(port, "/who")
                found |= {int(json.loads(answer.body)["pid"])} - but
            found &= crew.look()
            await trio.sleep(LOOK)
    return sorted(found)


@contextlib.asynccontextmanager
async def _load(
    crew: Crew, port: int, connections: int, seen: Seen
) -> AsyncIterator[None]:
    """Load by wrk and by peers that write while the block runs; what they saw."""
    command = ["wrk", "-t1", f"-c{connections}", "-d3600s", "--timeout", "10s"]
    wrk = await trio.lowlevel.open_process(
        [*command, f"http://127.0.0.1:{port}/who"], stdout=subprocess.PIPE
    )
    over = trio.Event()
    try:
        async with trio.open_nursery() as writing:
            for number in range(WRITERS):
                writing.start_soon(_write, port, number, seen, over)
            yield
            over.set()
    finally:
        wrk.send_signal(signal.SIGINT)
        with trio.CancelScope(shield=True):
            printed = b""
            if wrk.stdout is not None:
                async for piece in wrk.stdout:
                    printed += piece
            await wrk.wait()
    _note(printed.decode(), seen)


def _note(printed: str, seen: Seen) -> None:
    requests = _REQUESTS.search(printed)
    if requests is None:
        seen.faults.append(f"wrk said {printed!r}")
        return
    seen.answered += int(requests[1])
    if errors := _ERRORS.search(printed):
        connect, *others = map(int, errors.groups())
        seen.refused += connect
        seen.failed += sum(others)
    if others_than_200 := _OTHERS.search(printed):
        seen.failed += int(others_than_200[1])


async def _write(port: int, number: int, seen: Seen, over: trio.Event) -> None:
    count = 0
    while not over.is_set():
        count += 1
        text = f"{number}-{count}"
        head = "POST /write HTTP/1.1\r\nhost: a\r\nconnection: close\r\n"
        begun = time.perf_counter()
        try:
            answer = await ask(
                port, f"{head}content-length: {len(text)}\r\n\r\n{text}".encode()
            )
        except ConnectionRefusedError:
            seen.refused += 1
        except (OSError, NotServing, trio.BrokenResourceError):
            seen.failed += 1
        else:
            seen.waits.append((time.perf_counter() - begun) * 1000)
            if answer.body == b"kept":
                seen.answered += 1
                seen.kept.append(text)
            else:
                seen.failed += 1


async def _end(crew: Crew, seen: Seen) -> None:
    crew.process.send_signal(signal.SIGTERM)
    code, left = await crew.ended(), await crew.orphans()
    written = Counter(crew.writes.read_text().split())
    seen.waits.sort()
    seen.lost = sum(not written[text] for text in seen.kept)
    if code != 0:
        seen.faults.append(f"exit code {code}")
    if left:
        seen.faults.append(f"{left} processes were left")
