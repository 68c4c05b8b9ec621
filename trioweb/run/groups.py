"""Groups: letting a lone exception out of the nurseries that are not its raiser's."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


@contextlib.contextmanager
def without_groups() -> Iterator[None]:
    """Let an exception of the block come out as it is, if it is the only one.

    ``async with open_server(app)`` has nurseries of its own around the user's block; a
    KeyError raised there must arrive as a KeyError, not in a group in a group.
    """
    try:
        yield
    except BaseExceptionGroup as group:
        sole: BaseException = group
        while isinstance(sole, BaseExceptionGroup) and len(sole.exceptions) == 1:
            sole = sole.exceptions[0]
        if isinstance(sole, BaseExceptionGroup):
            raise
        cause, context = sole.__cause__, sole.__context__
        try:
            raise sole  # noqa: ASYNC123  # its history is put back below
        finally:
            # Raising it again has put the group into its history.
            sole.__cause__, sole.__context__ = cause, context
