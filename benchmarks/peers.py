"""Peers: the servers that are compared, and how each is installed and started."""

from __future__ import annotations

import hashlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import trio

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
ENVIRONMENTS = CACHE / "trioweb-benchmarks"


class NotInstalled(Exception):
    """A peer whose packages cannot be had."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A server: the command that starts it, with {python}, {environment} and {port}.

    *packages* are installed in an environment of their own, whose Python then is
    {python}; without any it is the one that runs the benchmark.  *version* is a
    command whose first line of output is the version.
    """

    name: str
    command: tuple[str, ...]
    version: tuple[str, ...]
    packages: tuple[str, ...] = ()

    @property
    def environment(self) -> Path:
        """Where its packages are; other packages are another environment."""
        digest = hashlib.sha256(repr((sys.version, self.packages)).encode())
        return ENVIRONMENTS / f"{self.name}-{digest.hexdigest()[:12]}"

    @property
    def python(self) -> str:
        """The Python it runs on."""
        return str(self.environment / "bin/python") if self.packages else sys.executable

    def at(self, port: int) -> list[str]:
        """The command that serves at *port* of 127.0.0.1."""
        return [self._filled(word, port) for word in self.command]

    async def install(self) -> None:
        """Put its packages where it will find them, unless they are there already.

        NotInstalled, with what the installer says, if they cannot be had.
        """
        done = self.environment / "installed"
        if not self.packages or done.exists():
            return
        for command in self._installing():
            ran = await trio.run_process(command, capture_stderr=True, check=False)
            if ran.returncode:
                raise NotInstalled(f"{self.name}: {ran.stderr.decode()}")
        done.touch()

    async def described(self) -> str:
        """Its name with its version."""
        command = [self._filled(word) for word in self.version]
        output = (await trio.run_process(command, capture_stdout=True)).stdout
        return f"{self.name} ({output.decode().splitlines()[0].strip()})"

    def _filled(self, word: str, port: int = 0) -> str:
        environment = self.environment
        return word.format(python=self.python, environment=environment, port=port)

    def _installing(self) -> list[list[str]]:
        return [
            [sys.executable, "-m", "venv", "--clear", str(self.environment)],
            [self.python, "-m", "pip", "install", "--quiet", *self.packages],
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePeer(Peer):
    """A server by Node, whose packages are under {environment}/node_modules."""

    def _installing(self) -> list[list[str]]:
        environment = str(self.environment)
        return [
            ["mkdir", "-p", environment],  # without it npm looks for one further up
            ["npm", "install", "--silent", "--prefix", environment, *self.packages],
        ]


TRIOWEB = Peer(
    name="trioweb",
    command=(
        *("{python}", "-m", "trioweb", "run", "benchmarks/apps/plain.py"),
        *("--bind", "127.0.0.1:{port}", "--access-log", "off"),
    ),
    version=("{python}", "-m", "trioweb", "--version"),
)

PEERS = (
    TRIOWEB,
    Peer(
        name="node",
        command=("node", "benchmarks/apps/node.js", "{port}"),
        version=("node", "--version"),
    ),
    Peer(
        name="uvicorn-h11",
        packages=("uvicorn==0.54.0", "h11==0.16.0"),
        command=(
            *("{python}", "-m", "uvicorn", "benchmarks.apps.asgi:app"),
            *("--port", "{port}", "--http", "h11", "--loop", "asyncio"),
            *("--lifespan", "off", "--no-access-log", "--log-level", "warning"),
        ),
        version=("{python}", "-m", "uvicorn", "--version"),
    ),
)
