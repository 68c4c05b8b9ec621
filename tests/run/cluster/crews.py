"""Clusters as processes: started, watched from outside, and ended with all of them."""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import trio

from tests.clients.process import ROOT, Program, Server, serving

APP = ROOT / "tests/apps/crew.py"

# Seconds: however busy the machine is, what is to happen has happened by then.
PATIENCE = 40

Who = dict[str, object]


@dataclass
class Crew:
    """A server with workers: its process, where it is, and every process it had."""

    server: Server
    host: str
    port: int
    seen: set[int] = field(default_factory=set)

    @property
    def pid(self) -> int:
        return self.server.process.pid

    def workers(self) -> set[int]:
        """The workers there are, also those that start or leave."""
        found = {pid for pid in children(self.pid) if b"spawn_main" in command(pid)}
        self.seen |= children(self.pid)
        return found

    def descriptors(self) -> int:
        """How many the supervisor has open."""
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    async def ask(self, request: str = "GET /who", body: bytes = b"") -> bytes:
        """The content of the answer, on a connection of its own; b"" if cut."""
        head = f"{request} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n"
        head += f"content-length: {len(body)}\r\n\r\n" if body else "\r\n"
        async with await trio.open_tcp_stream(self.host, self.port) as stream:
            await stream.send_all(head.encode() + body)
            received = b""
            try:
                async for piece in stream:
                    received += piece
            except trio.BrokenResourceError:
                return b""
        answer, _, content = received.partition(b"\r\n\r\n")
        return content if b" 200 " in answer[:13] else b""

    async def who(self) -> Who:
        """Which worker answers; {} where the answer was cut."""
        answer = await self.ask()
        found: Who = json.loads(answer) if answer else {}
        if found:
            self.seen.add(int(str(found["pid"])))
        return found

    async def everybody(self, count: int, *, but: set[int] = frozenset()) -> set[int]:  # type: ignore[assignment]  # read only
        """Wait until *count* workers, none of them among *but*, have answered."""
        found: set[int] = set()
        with trio.fail_after(PATIENCE):
            while len(found) < count:
                pid = int(str((await self.who()).get("pid", 0)))
                found |= {pid} - {0} - but
                found &= self.workers()
                await trio.sleep(0.005)
        return found

    def kill(self, pid: int, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to a process of this server, and to no other."""
        assert pid == self.pid or pid in self.seen
        os.kill(pid, number)

    async def gone(self) -> None:
        """Wait until no process is left that was ever seen."""
        await until(lambda: not any(alive(pid) for pid in self.seen))

    async def ended(self) -> int:
        """The exit code."""
        with trio.fail_after(PATIENCE):
            return await self.server.process.wait()

    async def stop(self) -> int:
        """Stop gracefully; the exit code.  Nothing is left."""
        self.workers()
        self.server.process.terminate()
        code = await self.ended()
        await self.gone()
        return code


def children(pid: int) -> set[int]:
    """The child processes of *pid*."""
    try:
        return {int(each) for each in _children(pid).split()}
    except OSError:
        return set()


def _children(pid: int) -> str:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii")


def command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def alive(pid: int) -> bool:
    """Whether there is such a process, which has not ended."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    except OSError:
        return False
    return state[0] not in {"Z", "X"}


async def until(true: Callable[[], bool]) -> None:
    """Wait for what has no event."""
    with trio.fail_after(PATIENCE):
        await trio.lowlevel.checkpoint()
        while not true():  # noqa: ASYNC110  # there is no event to wait for
            await trio.sleep(0.01)


def by_workers(*options: str | Path, workers: int | str = 2) -> list[str | Path]:
    """The command that serves the crew by so many workers, on a free port."""
    command: list[str | Path] = [sys.executable, "-m", "trioweb", "run", APP]
    command += ["--workers", str(workers), "--bind", "127.0.0.1:0"]
    return [*command, "--access-log", "off", *options]


@asynccontextmanager
async def crewed(
    *options: str | Path,
    workers: int | str = 2,
    env: Mapping[str, str] = {},
    program: list[str | Path] | None = None,
) -> AsyncIterator[Crew]:
    """A server with workers while the block lasts; after it none of them is left."""
    async with serving(program or by_workers(*options, workers=workers), env=env) as it:
        host, _, port = it.url.removeprefix("http://").rpartition(":")
        crew = Crew(it, host, int(port))
        try:
            yield crew
        finally:
            crew.workers()
            if it.process.returncode is None:
                it.process.kill()
            with trio.CancelScope(shield=True):
                await it.process.wait()
                await crew.gone()


def exists(path: Path) -> bool:
    return path.exists()


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def said(program: Program) -> str:
    return program.said.decode()


@contextmanager
def no_descriptors_but(room: int) -> Iterator[None]:
    """Let this process open so many more, while the block lasts."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    spare = [os.dup(0) for _ in range(room)]
    highest = os.dup(0)
    for each in [*spare, highest]:
        os.close(each)
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
