"""Key: a typed name under which an application or a request holds a value."""

from __future__ import annotations

from typing import Generic, TypeVar, cast

T = TypeVar("T")


class Key(Generic[T]):
    """A typed name: ``DB = Key[Pool]("db")``, then ``app[DB]`` and ``request[DB]``.

    Keys are compared by identity, so two libraries never meet under one name; *name*
    is what error messages say.
    """

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"Key({self.name!r})"


class MissingValue(KeyError):
    """Nothing is held under a Key; the message says what to do."""

    def __str__(self) -> str:
        # KeyError prints the repr of what it is given.
        return str(self.args[0])


class Keyed:
    """Something that holds values by Key."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        # Made with the first value: most requests hold none.
        self._held: dict[object, object] | None = None

    def __setitem__(self, key: Key[T], value: T) -> None:
        if self._held is None:
            self._held = {}
        self._held[key] = value

    def __getitem__(self, key: Key[T]) -> T:
        """The value under *key*; KeyError that names the key and the remedy."""
        if self._held is None or key not in self._held:
            kind = type(self).__name__.lower()
            msg = f"{kind} holds nothing under {key!r}; set it with {kind}[key] = value"
            raise MissingValue(msg)
        # Only `__setitem__` puts values there, each of its key's type.
        return cast("T", self._held[key])

    def __contains__(self, key: object) -> bool:
        return self._held is not None and key in self._held
