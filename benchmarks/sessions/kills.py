"""Kills: whether a write that was acknowledged is there after ``kill -9``."""

from __future__ import annotations

import contextlib
import random
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import trio

from benchmarks.progress import Progress
from benchmarks.rounds import Running, start
from benchmarks.serving import NotServing, ask
from benchmarks.sessions.peers import trioweb
from benchmarks.sessions.visitors import works

# Visitors who write at the same time, so that a kill finds writes on their way besides
# the one it follows: some share a commit with it, some wait for the next.
WRITERS = 8

# Acknowledged writes of one life of the server, at most; a kill follows one of them.
WRITES = 20

# Seconds in which a life's writes come: it is killed long before.
LIFE = 30


@dataclass(slots=True)
class Writer:
    """A visitor: what it has asked for, and what it was told is done."""

    cookie: str
    sent: int = 1
    acknowledged: int = 1

    def request(self, path: str, end: str = "") -> bytes:
        """Its request for *path*."""
        head = f"GET {path} HTTP/1.1\r\nhost: a\r\ncookie: {self.cookie}\r\n"
        return f"{head}{end}\r\n".encode("ascii")


@dataclass(slots=True)
class Toll:
    """What all the kills have come to."""

    kills: int = 0
    acknowledged: int = 0
    lost: int = 0
    unasked: int = 0  # more than was sent: a write done twice


async def kill_all(
    times: int, seed: int, progress: Progress, store: str = "sqlite"
) -> Toll:
    """Kill a server *times* times, each right after a write it has acknowledged.

    NotServing if it does not come back.
    """
    toll, chance = Toll(), random.Random(seed)
    writers: list[Writer] = []
    with tempfile.TemporaryDirectory(prefix="trioweb-benchmark-") as place:
        peer = trioweb(store, str(Path(place) / "sessions"))
        for number in range(times):
            progress.show(f"kill {number + 1} of {times}; lost {toll.lost}")
            async with contextlib.AsyncExitStack() as serving:
                server = await start(peer, serving)
                await _compare(server, writers, toll)
                # A session that has just been made counts like one that was written to.
                made = await works(server.port, 1)
                writers = [*writers[1 - WRITERS :], Writer(made[0].cookies[0])]
                toll.acknowledged += 1
                await _write(server, writers, chance.randint(1, WRITES), toll)
                toll.kills += 1
        async with contextlib.AsyncExitStack() as serving:
            await _compare(await start(peer, serving), writers, toll)
    return toll


async def _compare(server: Running, writers: Sequence[Writer], toll: Toll) -> None:
    for writer in writers:
        request = writer.request("/visits", "connection: close\r\n")
        answer = await ask(server.port, request)
        if answer.status != 200:
            raise NotServing(f"after a kill the answer is {answer}")
        kept = int(answer.body)
        toll.lost += max(0, writer.acknowledged - kept)
        toll.unasked += max(0, kept - writer.sent)
        # What was on its way is done or it is not; both are right, once.
        writer.sent = writer.acknowledged = kept


async def _write(
    server: Running, writers: Sequence[Writer], writes: int, toll: Toll
) -> None:
    """Let *writers* write until *writes* are acknowledged, and kill the server then."""
    last = toll.acknowledged + writes
    with trio.move_on_after(LIFE) as living:
        async with trio.open_nursery() as writing:

            def acknowledged() -> None:
                toll.acknowledged += 1
                if toll.acknowledged == last:
                    server.program.process.kill()
                    writing.cancel_scope.cancel(reason="the server is killed")

            for writer in writers:
                writing.start_soon(_writes, server, writer, acknowledged)
        await server.program.process.wait()
    if living.cancelled_caught:
        raise NotServing(f"{writes} writes were not acknowledged in {LIFE} s")


async def _writes(
    server: Running, writer: Writer, acknowledged: Callable[[], None]
) -> None:
    """Write over and over on one connection, until it breaks."""
    with contextlib.suppress(OSError, trio.BrokenResourceError):
        async with await trio.open_tcp_stream("127.0.0.1", server.port) as stream:
            while True:
                writer.sent += 1
                await stream.send_all(writer.request("/save"))
                # The head comes with the body, in one piece: see wire/.
                answer = await stream.receive_some()
                if not answer:
                    return
                if not answer.startswith(b"HTTP/1.1 200 "):
                    raise NotServing(f"a write was answered with {bytes(answer)!r}")
                writer.acknowledged += 1
                acknowledged()
