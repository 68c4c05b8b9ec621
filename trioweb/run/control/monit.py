"""The live view: the workers of every server, looked at once a second."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from functools import partial

from trioweb.run.control.frame import NONE, History, frame
from trioweb.run.control.protocol import Listing
from trioweb.run.control.screen import Screen, drawable, screen
from trioweb.run.control.table import table

# Seconds between two looks: as often as workers tell what they do.
TURN = 1.0

Look = Callable[[], Sequence[Listing]]
"""Asks every server that is to be seen."""


def watch(look: Look, *, colour: bool) -> None:
    """Show what *look* finds until q is pressed, or Ctrl-C (KeyboardInterrupt).

    Where nothing can be drawn, as plain text, one table below the other.
    """
    if not drawable():
        repeat(partial(_plain, look))
        return
    with screen() as drawn:
        _draw(look, drawn, colour=colour)


def _draw(look: Look, drawn: Screen, *, colour: bool) -> None:
    history = History()
    while True:
        listings = look()
        # From here: a look may take longer than a turn, and is to be seen nonetheless.
        until = time.monotonic() + TURN
        history.add(listings)
        while time.monotonic() < until:
            width, height = drawn.size
            drawn.draw(
                frame(
                    listings,
                    history,
                    width=width,
                    height=height,
                    clock=time.strftime("%H:%M:%S"),
                    colour=colour,
                )
            )
            if "q" in drawn.wait(until):
                return


def repeat(show: Callable[[], None]) -> None:
    """Call *show* once a second, until Ctrl-C."""
    while True:
        show()
        time.sleep(TURN)


def _plain(look: Look) -> None:
    listings = look()
    text = table(listings, colour=False) if listings else NONE
    sys.stdout.write(f"{time.strftime('%H:%M:%S')}\n{text}\n\n")
    sys.stdout.flush()
