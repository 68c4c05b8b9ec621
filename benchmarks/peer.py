"""A peer: a server that is compared, and how it is installed and started."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import trio

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
ENVIRONMENTS = CACHE / "trioweb-benchmarks"


class NotInstalled(Exception):
    """A peer whose packages cannot be had, or whose program is not there."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """The files, in PEM form, of a certificate and of its private key."""

    cert: Path
    key: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A server: the command that starts it, with {python}, {environment} and {port}.

    *packages* are installed in an environment of their own, whose Python then is
    {python}; without any it is the one that runs the benchmark.  *version* is a
    command whose first line of output is the version.

    *works* are the names of what it can be asked for.  The words *tls*, with {cert} and
    {key}, make it serve TLS in place of cleartext; the words *crew* give it two
    workers.
    """

    name: str
    command: tuple[str, ...]
    version: tuple[str, ...]
    packages: tuple[str, ...] = ()
    works: frozenset[str] = frozenset()
    tls: tuple[str, ...] = ()
    crew: tuple[str, ...] = ()

    @property
    def environment(self) -> Path:
        """Where its packages are; other packages are another environment."""
        digest = hashlib.sha256(repr((sys.version, self.packages)).encode())
        return ENVIRONMENTS / f"{self.name}-{digest.hexdigest()[:12]}"

    @property
    def python(self) -> str:
        """The Python it runs on."""
        return str(self.environment / "bin/python") if self.packages else sys.executable

    def at(
        self, port: int, *, tls: Certificate | None = None, crew: bool = False
    ) -> list[str]:
        """The command that serves at *port* of 127.0.0.1.

        With the certificate *tls* by TLS, with *crew* by two workers; ValueError if
        it is not known how.
        """
        words = [*self.command]
        if tls is not None:
            words += self._known(self.tls, "TLS")
        if crew:
            words += self._known(self.crew, "two workers")
        return [self._filled(word, port, tls) for word in words]

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
        """Its name with its version; NotInstalled if it is not there to be asked."""
        command = [self._filled(word) for word in self.version]
        try:
            ran = await trio.run_process(command, capture_stdout=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise NotInstalled(f"{self.name}: {error}") from error
        return f"{self.name} ({ran.stdout.decode().splitlines()[0].strip()})"

    def _known(self, words: tuple[str, ...], what: str) -> tuple[str, ...]:
        if not words:
            raise ValueError(f"it is not known how {self.name} serves by {what}")
        return words

    def _filled(self, word: str, port: int = 0, tls: Certificate | None = None) -> str:
        return word.format(
            python=self.python,
            environment=self.environment,
            port=port,
            cert=tls and tls.cert,
            key=tls and tls.key,
        )

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
