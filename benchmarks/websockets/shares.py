"""Shares: whose code a program is in while it uses the processor.

A signal comes for each millisecond that is used, and who is at work then is counted:
what happens in C counts for the Python code that has called it.
"""

from __future__ import annotations

import atexit
import json
import signal
import sysconfig
from collections import Counter
from pathlib import Path
from types import FrameType

# Seconds of the processor between two looks.
_LOOK = 0.001

_ROOT = str(Path(__file__).parent.parent.parent)
_LIBRARIES = sysconfig.get_paths()["purelib"]
_STANDARD = sysconfig.get_paths()["stdlib"]

# Ours are told apart by folder: two below the root say whose they are.
_DEPTH = 2


def tell(file: str) -> None:
    """From now on count; write the counts to *file*, as JSON, when the program ends."""
    counts: Counter[str] = Counter()

    def look(_: int, frame: FrameType | None) -> None:
        if frame is not None:
            counts[owner(frame.f_code.co_filename)] += 1

    def end() -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        Path(file).write_text(json.dumps(counts))

    signal.signal(signal.SIGPROF, look)
    signal.setitimer(signal.ITIMER_PROF, _LOOK, _LOOK)
    atexit.register(end)


def owner(file: str) -> str:
    """Whose code is in *file*: a library's, a folder's of ours, a module's of Python.

    >>> owner(_LIBRARIES + "/wsproto/events.py")
    'wsproto'
    >>> owner(_ROOT + "/trioweb/wire/h1.py")
    'trioweb/wire'
    >>> owner(_STANDARD + "/contextlib.py")
    "Python's contextlib.py"
    """
    if file.startswith(_LIBRARIES):
        return Path(file).relative_to(_LIBRARIES).parts[0]
    if file.startswith(_ROOT):
        return "/".join(Path(file).relative_to(_ROOT).parts[:_DEPTH])
    if file.startswith(_STANDARD):
        return f"Python's {Path(file).relative_to(_STANDARD).parts[0]}"
    # What was made at run time says whose it is, as "<attrs generated init trio.Lock>".
    return file.strip("<>").split()[-1].partition(".")[0]
