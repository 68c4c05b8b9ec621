"""Programs that a benchmark starts: each on its core, and ended with its block."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import trio

ROOT = Path(__file__).parent.parent

# Seconds a program gets to end after SIGTERM, before it is killed: all of them are
# told to stop only when there is nothing left to do.
END = 5


@dataclass(frozen=True, slots=True)
class Program:
    """A program that runs, and the file its standard error goes to."""

    process: trio.Process
    errors: Path

    @property
    def pid(self) -> int:
        """Its process id, which is never that of a wrapper."""
        return self.process.pid

    def said(self) -> str:
        """What it has written to standard error so far."""
        return self.errors.read_text(errors="replace")


@contextlib.asynccontextmanager
async def started(
    command: Sequence[str | Path],
    *,
    core: int | None,
    nice: int = 0,
    env: Mapping[str, str] | None = None,
) -> AsyncIterator[Program]:
    """A program on core *core* for as long as the block lasts; its output is a pipe.

    Without a core it may run on all of them.

    *nice* as in nice(1): what attacks yields to what measures.  Standard error goes to
    a file, for a pipe that nobody reads would stop the program.
    """
    # Each of these replaces itself by the next, so that the process id stays.
    place = [] if core is None else ["taskset", "-c", str(core)]
    wrapped = ["nice", "-n", str(nice), *place, *map(str, command)]
    with tempfile.NamedTemporaryFile(prefix="trioweb-benchmark-") as errors:
        process = await trio.lowlevel.open_process(
            wrapped,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=ROOT,
            env=env,
        )
        try:
            yield Program(process, Path(errors.name))
        finally:
            with trio.CancelScope(shield=True):
                await _end(process)


async def _end(process: trio.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    with trio.move_on_after(END):
        await process.wait()
    if process.returncode is None:
        process.kill()
        await process.wait()
    if process.stdout is not None:
        await process.stdout.aclose()


def by_module(module: str, *arguments: object) -> list[str]:
    """The command ``python -m MODULE ...`` with this very Python."""
    return [sys.executable, "-m", module, *map(str, arguments)]


class Lines:
    """What a program prints, line by line, until it closes its standard output."""

    def __init__(self, program: Program) -> None:
        self._pipe = program.process.stdout
        self._rest = bytearray()

    def __aiter__(self) -> Lines:
        return self

    async def __anext__(self) -> bytes:
        while (end := self._rest.find(b"\n")) < 0:
            piece = b"" if self._pipe is None else await self._pipe.receive_some()
            if not piece:
                raise StopAsyncIteration
            self._rest += piece
        line = bytes(self._rest[:end])
        del self._rest[: end + 1]
        return line
