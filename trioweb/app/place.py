"""Place: where in the user's source something was registered."""

from __future__ import annotations

import inspect


def place() -> str:
    """The user's line that led here, as ``file:line``."""
    frame = inspect.currentframe()
    while frame is not None and _ours(frame.f_globals):
        frame = frame.f_back
    if frame is None:
        return "an unknown place"
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def _ours(module: dict[str, object]) -> bool:
    # Trio and contextlib lie between: what is given to open_server() is looked at
    # inside its block, and what is given to run() inside its loop.
    root, _, _ = str(module.get("__name__")).partition(".")
    return root in {"trioweb", "trio", "contextlib"}
