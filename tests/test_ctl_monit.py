"""``trioweb ctl monit`` in a terminal, which it gives back as it was."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
import trio

from tests.clients.process import ROOT
from tests.run.cluster.crews import PATIENCE, until
from tests.run.control.homes import ALONE, found, home, surroundings


@pytest.fixture
def place() -> Iterator[Path]:
    with home() as directory:
        yield directory


def _unsized(env: Mapping[str, str]) -> dict[str, str]:
    """*env* without the size of another terminal, which readline leaves there."""
    return {name: env[name] for name in env.keys() - {"LINES", "COLUMNS"}}


class Terminal:
    """A terminal with ``ctl monit`` in it, and what has been drawn there."""

    def __init__(self, place: Path, kind: str, command: Sequence[str]) -> None:
        self.number, theirs = pty.openpty()
        self.resize(columns=100, lines=20)
        self.drawn = b""
        self.before = termios.tcgetattr(theirs)
        self.process = subprocess.Popen(
            [sys.executable, *command],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            cwd=ROOT,
            env={**_unsized(surroundings(place)), "TERM": kind},
        )
        self._theirs = theirs
        os.set_blocking(self.number, False)

    def resize(self, *, columns: int, lines: int) -> None:
        size = struct.pack("HHHH", lines, columns, 0, 0)
        fcntl.ioctl(self.number, termios.TIOCSWINSZ, size)

    def press(self, keys: bytes) -> None:
        os.write(self.number, keys)

    async def until(self, pattern: bytes) -> None:
        """Wait until so much has been drawn; what was drawn before is forgotten."""
        with trio.fail_after(PATIENCE):
            while not (found := re.search(pattern, self.drawn, re.DOTALL)):
                await trio.lowlevel.wait_readable(self.number)
                self.drawn += os.read(self.number, 65536)
        self.drawn = self.drawn[found.end() :]

    async def ended(self) -> int:
        """The exit code; the terminal is as it was."""
        await until(lambda: self.process.poll() is not None)
        assert termios.tcgetattr(self._theirs) == self.before
        return self.process.wait()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._theirs)
        os.close(self.number)


MONIT = ("-c", ALONE, "ctl", "--name", "crew", "monit")


@contextmanager
def terminal(
    place: Path, kind: str = "xterm-256color", command: Sequence[str] = MONIT
) -> Iterator[Terminal]:
    view = Terminal(place, kind, command)
    try:
        yield view
    finally:
        view.close()


ENDS = [
    ("q", b"q", None, 0),
    ("Ctrl-C", b"", signal.SIGINT, 0),
    ("SIGTERM", b"", signal.SIGTERM, 143),
]


async def test_the_live_view_gives_the_terminal_back_however_it_ends(
    place: Path,
) -> None:
    async with found(place) as crew:
        await crew.everybody(2)
        for name, key, number, code in ENDS:
            with terminal(place) as view:
                await view.until(rb"\x1b\[\?1049h\x1b\[\?25l")
                await view.until(rb"2 of 2 ready.*req/s.*WORKER.*ready.*q quits")
                if number is not None:
                    view.process.send_signal(number)
                else:
                    view.press(key)
                await view.until(rb"\x1b\[\?25h\x1b\[\?1049l$")
                assert await view.ended() == code, name
        assert await crew.stop() == 0


async def test_the_live_view_fits_when_the_terminal_changes(place: Path) -> None:
    async with found(place, workers=1) as crew:
        await crew.everybody(1)
        with terminal(place) as view:
            await view.until(rb"MEMORY.*q quits")
            view.resize(columns=40, lines=6)
            view.process.send_signal(signal.SIGWINCH)
            await view.until(rb"\.\.\. \d+ lines more")
            view.resize(columns=120, lines=30)
            view.process.send_signal(signal.SIGWINCH)
            await view.until(rb"MEMORY.*q quits")
            assert await crew.stop() == 0  # which it outlives
            await view.until(rb"No server with workers runs here")
            view.press(b"q")
            await view.until(rb"\?1049l")
            assert await view.ended() == 0


SLOW = """
import time
from trioweb.run.control.monit import TURN, watch

def look():
    time.sleep(TURN * 1.2)
    return []

watch(look, colour=False)
"""


async def test_the_live_view_is_drawn_though_each_look_takes_longer_than_a_turn(
    place: Path,
) -> None:
    with terminal(place, command=["-c", SLOW]) as view:
        await view.until(rb"No server with workers runs here")
        view.press(b"q")
        await view.until(rb"\?1049l")
        assert await view.ended() == 0


async def test_a_terminal_that_cannot_be_drawn_on_gets_plain_text(place: Path) -> None:
    async with found(place, workers=1) as crew:
        await crew.everybody(1)
        with terminal(place, "dumb") as view:
            await view.until(
                rb"^\d\d:\d\d:\d\d\r\nNAME [^\x1b]*\r\ncrew [^\x1b]*\r\n\r\n"
            )
            await view.until(rb"^\d\d:\d\d:\d\d\r\nNAME ")
            view.process.send_signal(signal.SIGINT)
            assert await view.ended() == 0
            assert b"\x1b" not in view.drawn
        assert await crew.stop() == 0
