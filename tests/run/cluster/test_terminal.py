"""A cluster on a terminal: Ctrl-C reaches every process, and closing it stops."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import trio

from tests.clients.process import ROOT
from tests.run.cluster.crews import PATIENCE, alive, by_workers, children, until


class Terminal:
    """A terminal whose foreground program is a cluster."""

    def __init__(self) -> None:
        self.master, slave = pty.openpty()
        # A session of its own, whose controlling terminal it takes.
        code = "import fcntl, os, sys, termios; fcntl.ioctl(2, termios.TIOCSCTTY, 0);"
        code += "os.execv(sys.argv[1], sys.argv[1:])"
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, *map(str, by_workers())],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            cwd=ROOT,
        )
        os.close(slave)
        os.set_blocking(self.master, False)
        self.shown = b""

    def look(self) -> bytes:
        """What it has shown so far."""
        try:
            while piece := os.read(self.master, 10_000):
                self.shown += piece
        except OSError:  # nothing more now
            pass
        return self.shown

    def close(self) -> None:
        if self.master >= 0:
            os.close(self.master)
        self.master = -1


@contextmanager
def terminal() -> Iterator[Terminal]:
    opened = Terminal()
    try:
        yield opened
    finally:
        opened.process.kill()
        opened.process.wait()
        opened.close()


@pytest.mark.parametrize("end", ["Ctrl-C", "closing it"])
async def test_k7_the_end_of_a_terminals_program_is_an_end_in_order(end: str) -> None:
    with terminal() as opened:
        await until(lambda: b"is serving" in opened.look())
        family = children(opened.process.pid)
        if end == "Ctrl-C":
            os.write(opened.master, b"\x03")
        else:
            opened.close()
        with trio.fail_after(PATIENCE):
            while opened.process.poll() is None:  # noqa: ASYNC110  # no event
                await trio.sleep(0.01)
        assert opened.process.returncode == 0
        await until(lambda: not any(alive(pid) for pid in family))
        assert b"Traceback" not in opened.shown
        assert b"KeyboardInterrupt" not in opened.shown
