"""Resources: a class whose methods answer the methods of one URL."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Sequence

from trioweb.app.call import Function, check
from trioweb.app.routes import METHODS
from trioweb.message.errors import SetupError


class Resource:
    """A class with methods named get, post, …; instantiated once, when first needed."""

    def __init__(self, kind: type, where: str) -> None:
        self.kind = kind
        self._where = where
        if not isinstance(kind, type):
            msg = f"{where}: {kind!r} is no class; give one to resource()"
            raise SetupError(msg)
        self.methods = [each for each in METHODS if hasattr(kind, each.lower())]
        if not self.methods:
            msg = (
                f"{where}: {kind.__qualname__} answers nothing; give it async methods "
                f"named {', '.join(METHODS).lower()}"
            )
            raise SetupError(msg)
        self._instance = functools.cache(self._instantiate)

    def handler(self, method: str) -> str:
        """The qualified name of what answers *method*."""
        return f"{self.kind.__module__}.{self.kind.__qualname__}.{method.lower()}"

    def function(self, method: str, names: Sequence[str]) -> Function:
        """What answers *method* with path parameters *names*, checked."""
        function: Function = getattr(self._instance(), method.lower())
        check(self._where, function, ("request",), names)
        return function

    def _instantiate(self) -> object:
        try:
            inspect.signature(self.kind).bind()
        except ValueError:
            pass  # made by a constructor written in C, and nothing is known of it
        except TypeError as error:
            msg = (
                f"{self._where}: {self.kind.__qualname__} must be made without "
                f"arguments: {error}"
            )
            raise SetupError(msg) from None
        instance: object = self.kind()
        return instance
