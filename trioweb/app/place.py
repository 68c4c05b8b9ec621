"""Place: where in the user's source something was registered."""

from __future__ import annotations

import inspect


def place() -> str:
    """The line outside trioweb that led here, as ``file:line``."""
    frame = inspect.currentframe()
    while frame is not None and _ours(frame.f_globals):
        frame = frame.f_back
    if frame is None:
        return "an unknown place"
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def _ours(module: dict[str, object]) -> bool:
    return str(module.get("__name__")).startswith("trioweb.")
