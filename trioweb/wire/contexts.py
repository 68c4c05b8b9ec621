"""Contexts: has a handler set what the next request must not see?"""

from __future__ import annotations

from contextvars import Context

_MISSING = object()


def same(one: Context, other: Context) -> bool:
    """Whether the same values are set in both; not merely equal ones.

    To compare them by ``==`` would ask the values, which may be anything.
    """
    return len(one) == len(other) and all(
        other.get(each, _MISSING) is value for each, value in one.items()
    )
