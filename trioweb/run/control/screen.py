"""The screen: a terminal that is drawn on, and given back as it was."""

from __future__ import annotations

import os
import select
import shutil
import signal
import socket
import sys
import termios
import time
import tty
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress

# Another screen than the one with the shell's lines, no cursor, no wrapped lines.
_ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J"
_LEAVE = "\x1b[?7h\x1b[?25h\x1b[?1049l"

# The line, and what is below it.  Before the text: after it, where that fills the
# line, its last character would go.
_CLEAR_LINE = "\x1b[2K"
_CLEAR_BELOW = "\x1b[J"


def drawable() -> bool:
    """Whether standard output is a terminal that can be drawn on."""
    return sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"


class Screen:
    """The terminal while it is ours: draw on it, and wait for a key."""

    def __init__(self, woken: socket.socket, keys: int | None) -> None:
        self._woken = woken
        self._keys = keys

    @property
    def size(self) -> os.terminal_size:
        """Columns and lines."""
        return shutil.get_terminal_size()

    def draw(self, lines: Sequence[str]) -> None:
        """Show *lines* and nothing else, without flicker."""
        text = "\r\n".join(f"{_CLEAR_LINE}{line}" for line in lines)
        sys.stdout.write(f"\x1b[H{text}{_CLEAR_BELOW}")
        sys.stdout.flush()

    def wait(self, until: float) -> str:
        """The next key; "" at the time *until* (monotonic), or if the size changes."""
        sources: list[int | socket.socket] = [self._woken]
        if self._keys is not None:
            sources.append(self._keys)
        ready, _, _ = select.select(sources, [], [], max(0, until - time.monotonic()))
        if self._woken in ready:
            self._woken.recv(4096)
        if self._keys in ready and self._keys is not None:
            pressed = os.read(self._keys, 64)
            if not pressed:  # the terminal has gone
                self._keys = None
            return pressed.decode("ascii", "replace")
        return ""


@contextmanager
def screen() -> Iterator[Screen]:
    """The terminal, for as long as the block runs, however it ends.

    SIGTERM and SIGHUP end the block (SystemExit), as Ctrl-C does.
    """
    with ExitStack() as held:
        ours, theirs = socket.socketpair()
        held.enter_context(ours)
        held.enter_context(theirs)
        theirs.setblocking(False)
        before = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
        held.callback(signal.set_wakeup_fd, before)
        for number, handler in (
            (signal.SIGWINCH, _nothing),
            (signal.SIGTERM, _end),
            (signal.SIGHUP, _end),
        ):
            held.callback(signal.signal, number, signal.signal(number, handler))
        keys = held.enter_context(_keys())
        held.callback(_write, _LEAVE)
        _write(_ENTER)
        yield Screen(ours, keys)


@contextmanager
def _keys() -> Iterator[int | None]:
    """Standard input key by key, unseen; None where it is no terminal."""
    if not sys.stdin.isatty():
        yield None
        return
    number = sys.stdin.fileno()
    before = termios.tcgetattr(number)
    tty.setcbreak(number)
    # Ctrl-Z would leave the shell with our screen.
    changed = termios.tcgetattr(number)
    changed[6][termios.VSUSP] = b"\0"
    termios.tcsetattr(number, termios.TCSADRAIN, changed)
    try:
        yield number
    finally:
        with suppress(termios.error):  # the terminal has gone
            termios.tcsetattr(number, termios.TCSADRAIN, before)


def _write(text: str) -> None:
    with suppress(OSError):  # the terminal has gone
        sys.stdout.write(text)
        sys.stdout.flush()


def _nothing(*_: object) -> None:
    pass


def _end(number: int, _: object) -> None:
    raise SystemExit(128 + number)
