"""A crew: a server with two workers, as a process, seen and harmed from outside."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import trio

from benchmarks.programs import ROOT
from benchmarks.serving import NotServing
from benchmarks.system import PROC

APP = ROOT / "benchmarks/apps/crew.py"

# Seconds: whatever is to happen to a server has happened by then.
PATIENCE = 60

# Seconds between two looks at what has no event.
LOOK = 0.002

_SIGNALS = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
_SERVING = re.compile(r"http://127\.0\.0\.1:(\d+)")


@dataclass(frozen=True, slots=True)
class Crew:
    """A server that runs: its supervisor, what it says, and the file of writes."""

    process: subprocess.Popen[bytes]
    errors: Path
    writes: Path
    family: set[int]  # every process it was ever seen to have

    @property
    def pid(self) -> int:
        """The supervisor's process id."""
        return self.process.pid

    @property
    def said(self) -> str:
        """What it has written to standard error so far."""
        return self.errors.read_text(errors="replace")

    def look(self) -> set[int]:
        """The processes it has beside the supervisor now."""
        found = children(self.pid)
        self.family.update(found)
        return found

    async def serving(self) -> int:
        """Wait until it serves; the port."""
        with trio.move_on_after(PATIENCE):
            while self.process.poll() is None:
                if match := _SERVING.search(self.said):
                    return int(match[1])
                await trio.sleep(0.05)
        raise NotServing(f"the server did not start: {self.said}")

    async def ended(self) -> int | None:
        """The exit code; None if it does not end."""
        with trio.move_on_after(PATIENCE):
            while self.process.poll() is None:
                self.look()
                await trio.sleep(LOOK)
        return self.process.returncode

    async def orphans(self) -> int:
        """How many of its processes are left a second after its end."""
        with trio.move_on_after(1):
            while any(map(alive, self.family)):  # noqa: ASYNC110  # others' processes
                await trio.sleep(LOOK)
        return sum(map(alive, self.family))


@contextlib.asynccontextmanager
async def crewed() -> AsyncIterator[Crew]:
    """A server with two workers while the block lasts; nothing is left after it.

    It starts with its signals held back, as a service manager may start it: none can
    come before somebody takes it.
    """
    with tempfile.TemporaryDirectory(prefix="trioweb-benchmark-") as folder:
        errors, writes = Path(folder, "errors"), Path(folder, "writes")
        process = _begin(errors, writes)
        crew = Crew(process, errors, writes, set())
        try:
            yield crew
        finally:
            crew.look()
            process.kill()
            process.wait()
            with trio.CancelScope(shield=True):
                await crew.orphans()


def _begin(errors: Path, writes: Path) -> subprocess.Popen[bytes]:
    writes.touch()
    command = [sys.executable, "-m", "trioweb", "run", str(APP), "--workers", "2"]
    command += ["--bind", "127.0.0.1:0", "--access-log", "off"]
    env = {**os.environ, "CREW": str(writes)}
    with errors.open("wb") as said, _held_back():
        return subprocess.Popen(command, cwd=ROOT, stderr=said, env=env)


@contextlib.contextmanager
def _held_back() -> Iterator[None]:
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)


def children(pid: int) -> set[int]:
    """The child processes of *pid*; none when it is gone."""
    try:
        return {
            int(n) for n in (PROC / f"{pid}/task/{pid}/children").read_text().split()
        }
    except OSError:
        return set()


def alive(pid: int) -> bool:
    """Whether there is such a process, which has not ended."""
    try:
        state = (PROC / f"{pid}/stat").read_text(errors="replace").rpartition(")")[2]
    except OSError:
        return False
    return state.split()[0] not in {"Z", "X"}
