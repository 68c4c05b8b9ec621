"""Boundary: which exceptions end with their exchange, and which must go on."""

from __future__ import annotations

import math

import trio


def contained(error: BaseException) -> Exception:
    """The failure in *error* that is its handler's own; without one, raises *error*.

    What goes on is a KeyboardInterrupt, and a Cancelled that somebody around the
    exchange has asked for.  A SystemExit does not: what one peer asks for (a parser of
    commands that refuses its arguments, say) must not end what is done for all others.
    Beside a failure a Cancelled says nothing new: whoever cancelled will be heard again
    at the next checkpoint.  One that nobody has asked for, caught and kept and raised
    again outside of its scope, is a failure as well: it would pass every scope up to
    the server's own, and end that without a word.
    """
    own = _without_cancelled(error)
    if isinstance(own, Exception):
        return own
    if own is not None and _exits(own):
        return _failure("the process was to be ended by a request", error)
    if own is not None or trio.current_effective_deadline() == -math.inf:
        raise error
    return _failure("a Cancelled was kept, and raised outside of its scope", error)


def _failure(why: str, error: BaseException) -> RuntimeError:
    failure = RuntimeError(why)
    failure.__cause__ = error
    return failure


def _exits(error: BaseException) -> bool:
    """Whether a SystemExit is all that keeps *error* from being an Exception."""
    if isinstance(error, BaseExceptionGroup):
        return error.split((Exception, SystemExit))[1] is None
    return isinstance(error, SystemExit)


def _without_cancelled(error: BaseException) -> BaseException | None:
    if isinstance(error, BaseExceptionGroup):
        return error.split(trio.Cancelled)[1]
    return None if isinstance(error, trio.Cancelled) else error
