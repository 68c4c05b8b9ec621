"""Call: how a function of the user's is to be called, decided once, at registration."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Sequence

from trioweb.app.answers import Answer
from trioweb.message.errors import SetupError
from trioweb.message.request import Request

Function = Callable[..., Awaitable[Answer]]
"""A handler as users write it: the request, then path parameters by keyword."""

Called = Callable[[Request], Awaitable[Answer]]
"""A handler as the router calls it."""


class Awaited:
    """What returns something to await when it is called, though not by ``async def``.

    One that only chooses who is to be awaited costs no coroutine of its own so.
    """


def caller(function: Function, names: Sequence[str]) -> Called:
    """What calls *function* with the request and the parameters *names* by keyword."""
    if not names:
        return function
    return lambda request: function(request, **request.params)


def check(
    what: str, function: object, given: Sequence[str], names: Sequence[str] = ()
) -> None:
    """Refuse a *function* that cannot be awaited with what it will be given.

    That is *given* by position and *names* by keyword.  SetupError begins with *what*
    and says the remedy.
    """
    if not callable(function):
        msg = f"{what}: {function!r} cannot be called; give an async function"
        raise SetupError(msg)
    if not _asynchronous(function):
        msg = f"{what}: {qualified(function)} is not asynchronous; make it async def"
        raise SetupError(msg)
    check_arguments(what, function, given, names)


def check_arguments(
    what: str,
    function: Callable[..., object],
    given: Sequence[str],
    names: Sequence[str] = (),
) -> None:
    """As `check`, of a *function* that need not be asynchronous."""
    try:
        signature = inspect.signature(function)
    except ValueError:
        return  # written in C, and nothing is known of it
    try:
        signature.bind(*given, **dict.fromkeys(names))
    except TypeError as error:
        takes = f"({', '.join([*given, *names])})"
        msg = f"{what}: {qualified(function)} must take {takes}: {error}"
        raise SetupError(msg) from None


def qualified(function: object) -> str:
    """The name of *function* with its module, for people."""
    while isinstance(function, functools.partial):
        function = function.func
    named = function if hasattr(function, "__qualname__") else type(function)
    return f"{named.__module__}.{named.__qualname__}"


def _asynchronous(function: object) -> bool:
    while isinstance(function, functools.partial):
        function = function.func
    if isinstance(function, Awaited):
        return True
    # Of an instance it is the class that says how it is called.
    call = inspect.getattr_static(type(function), "__call__", None)
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call)
