"""Lifespan: what surrounds an application's service, in the forms it may be written."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

from trioweb.app.call import check_arguments, qualified
from trioweb.message.errors import SetupError
from trioweb.message.site import Site

Lifespan = Callable[[Site], AbstractAsyncContextManager[object]]
"""What surrounds an application's service: entered before, left after."""

Surrounding = Callable[[Site], AsyncIterator[None] | AbstractAsyncContextManager[Any]]
"""A lifespan as users write it: an async generator that yields once, or a Lifespan."""


@dataclass(frozen=True, slots=True)
class _Generating:
    """The Lifespan of an async generator, equal to any other of the same one."""

    function: Callable[[Site], AsyncIterator[None]]

    def __call__(self, site: Site) -> AbstractAsyncContextManager[None]:
        return asynccontextmanager(self.function)(site)


def managed(function: Surrounding, where: str) -> Lifespan:
    """*function* as a Lifespan; SetupError that names the place for what is none."""
    check_arguments(where, function, ("site",))
    if inspect.iscoroutinefunction(function):
        msg = f"{where}: {qualified(function)} never yields; yield where it serves"
        raise SetupError(msg)
    if inspect.isgeneratorfunction(function):
        msg = f"{where}: {qualified(function)} blocks; make it an async generator"
        raise SetupError(msg)
    if inspect.isasyncgenfunction(function):
        return _Generating(function)
    # What is left of Surrounding, though a type checker cannot subtract.
    return cast("Lifespan", function)
