"""Alone: a worker's process shares nothing with what it starts, nor a terminal."""

from __future__ import annotations

import faulthandler
import os
import signal
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from trioweb.run.cluster.signals import let_in

# Descriptors looked through where the system does not list those that are open: a
# worker that begins has some twenty.
_MOST = 1024

# Standard input, output and error.
_STANDARD = 2


def be_alone() -> None:
    """Keep descriptors and signals of the server from what the application starts."""
    for number in _open_descriptors():
        with suppress(OSError):  # not open; or the one that the listing itself had
            os.set_inheritable(number, number <= _STANDARD)
    # Ctrl-C, and the end of the terminal, are said to all; the supervisor decides.
    # By a function: what is ignored stays so in every program that a handler starts.
    signal.signal(signal.SIGINT, _nothing)
    signal.signal(signal.SIGHUP, _nothing)
    # While it loads, nobody is served, and a signal may end it there and then.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with suppress(OSError, RuntimeError, ValueError, AttributeError):  # no stderr
        faulthandler.enable()  # SIGABRT shows where it is
    let_in()


def stand_in() -> None:
    """Open /dev/null in the place of standard streams that are closed.

    What is opened next would take their numbers, and be written to by whatever, in this
    process or in one that it starts, has something to say.
    """
    with suppress(OSError):  # a system without /dev/null
        while (number := os.open(os.devnull, os.O_RDWR)) <= _STANDARD:
            os.set_inheritable(number, True)
        os.close(number)


def _open_descriptors() -> Iterable[int]:
    try:
        names = os.listdir(Path("/dev/fd"))  # noqa: PTH208  # descriptors are no paths
    except OSError:  # a bare root directory
        return range(_MOST)
    return [int(name) for name in names]


def _nothing(*_: object) -> None:
    pass
