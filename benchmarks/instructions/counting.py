"""Counting: how many instructions a server has executed, as valgrind counts them.

A count is the same on a busy machine as on an idle one, and that of one exchange the
same as that of the next.  What it leaves out is the kernel, and waiting for memory.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import trio

from benchmarks.programs import Program, started
from benchmarks.serving import LOOK, START, NotServing
from benchmarks.system import PROC, cores

# Callgrind is the one tool of valgrind that can be switched on when a server has begun
# to serve (before that it is ten times as fast) and be asked for its count meanwhile.
# The file it leaves at its end is not wanted.
_VALGRIND = (
    *("valgrind", "-q", "--tool=callgrind", "--instr-atstart=no"),
    "--callgrind-out-file=/dev/null",
)

# Of each thread, among lines for each function that it is in.
_EVENTS = re.compile(rb"^events-\d+: (\d+)$", re.MULTILINE)

_SERVING = re.compile(r"https?://127\.0\.0\.1:(\d+)")

# Seconds between two looks at a thread that must have done nothing meanwhile.
REST = 0.001

# Seconds: a server that is asked nothing by then never comes to rest.
PATIENCE = 20


class NotCounted(Exception):
    """valgrind does not say its count, or the server is never at rest."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A server under valgrind, and where it serves."""

    program: Program
    port: int

    async def begin(self) -> None:
        """Count from now on, at a fiftieth of the usual speed."""
        await self._vgdb("instrumentation", "on")

    async def so_far(self) -> int:
        """The instructions of all its threads."""
        return sum(map(int, _EVENTS.findall(await self._vgdb("status", "internal"))))

    async def rest(self) -> None:
        """Wait until its first thread, which has the event loop, waits for something.

        Asleep, and without a moment of work between two looks: asleep alone it is also
        while another thread has the interpreter.
        """
        pid = self.program.pid
        task, before = PROC / f"{pid}/task/{pid}", ""
        with trio.move_on_after(PATIENCE):
            while True:
                state, worked = _look(task)
                if state == "S" and worked == before:
                    return
                before = worked
                await trio.sleep(REST)
        raise NotCounted("the server does not come to rest")

    async def _vgdb(self, *words: str) -> bytes:
        # A server that waits must be woken to say something, usually after 100 ms.
        command = ["vgdb", f"--pid={self.program.pid}", "--max-invoke-ms=1", *words]
        done = await trio.run_process(
            command, capture_stdout=True, capture_stderr=True, check=False
        )
        if done.returncode:
            raise NotCounted(f"{' '.join(words)}: {done.stderr.decode()[-500:]}")
        return done.stdout


@contextlib.asynccontextmanager
async def counted(words: Sequence[str]) -> AsyncIterator[Counted]:
    """``python -m WORDS``, a server that says where it serves, under valgrind.

    Its environment is next to nothing: no variable that somebody has set may change
    what is counted.  NotServing if it does not start.
    """
    command = [*_VALGRIND, sys.executable, "-m", *words]
    # Which of two keys is found first in a dict depends on the seed of their hashes.
    env = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "PYTHONHASHSEED": "0"}
    async with started(command, core=cores().server, env=env) as program:
        yield Counted(program, await _port(program))


async def _port(program: Program) -> int:
    with trio.move_on_after(START):
        while True:
            await trio.sleep(LOOK)
            if match := _SERVING.search(program.said()):
                return int(match[1])
            if program.process.poll() is not None:
                break
    raise NotServing(f"the server did not start: {program.said()[-2000:]}")


def _look(task: Path) -> tuple[str, str]:
    """The state of a thread, and the nanoseconds it has worked so far (proc(5))."""
    worked = (task / "schedstat").read_text().split()[0]
    state = (task / "stat").read_text().rpartition(")")[2].split()[0]
    return state, worked
