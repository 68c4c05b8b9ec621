"""Servers that only the test finds, and the command that asks them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import trio

from tests.clients.process import ROOT
from tests.run.cluster.crews import PATIENCE, Crew, crewed

# As `python -m trioweb`, but only what is below $XDG_RUNTIME_DIR is there to be found.
ALONE = """
import os, sys
from pathlib import Path
from trioweb.run.control import place
none = Path(os.environ["XDG_RUNTIME_DIR"], "-")
place.SERVICES = place.USERS = place.TEMPORARY = none
from trioweb.cli import main
sys.exit(main(sys.argv[1:]))
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command has ended with, and has printed."""

    code: int
    out: str
    err: str


@contextmanager
def home() -> Iterator[Path]:
    """A directory with a short name, for a socket's has at most 107 bytes."""
    directory = Path(tempfile.mkdtemp(prefix="ctl-", dir="/tmp"))
    try:
        yield directory
    finally:
        shutil.rmtree(directory)


async def ctl(directory: Path, *words: str) -> Outcome:
    """Run ``trioweb ctl`` for the servers of *directory*."""
    with trio.fail_after(PATIENCE):
        done = await trio.run_process(
            [sys.executable, "-c", ALONE, "ctl", *words],
            capture_stdout=True,
            capture_stderr=True,
            stdin=subprocess.DEVNULL,
            check=False,
            cwd=ROOT,
            env=surroundings(directory),
        )
    return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())


def surroundings(directory: Path) -> dict[str, str]:
    return {**os.environ, "XDG_RUNTIME_DIR": str(directory)}


@asynccontextmanager
async def found(
    directory: Path, *options: str, workers: int = 2, env: Mapping[str, str] = {}
) -> AsyncIterator[Crew]:
    """A server of the crew that is found in *directory*."""
    env = {**env, "XDG_RUNTIME_DIR": str(directory)}
    async with crewed(*options, workers=workers, env=env) as crew:
        yield crew
