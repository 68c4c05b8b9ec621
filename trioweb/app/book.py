"""The book: what an application has been told, before it is frozen."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from trioweb.app.call import Function
from trioweb.app.layers import Ring
from trioweb.app.lifespan import Lifespan
from trioweb.app.routes import Route, Settings
from trioweb.message.errors import SetupError
from trioweb.message.handler import Handler
from trioweb.message.measures import Measure
from trioweb.rules.pattern import Pattern, PatternError, parse_pattern, shape


@runtime_checkable
class Application(Protocol):
    """A whole application, as one that it is mounted in sees it."""

    @property
    def routes(self) -> list[Route]:
        """Its table."""

    def freeze(self) -> Handler:
        """Its handler."""

    def lifespans(self) -> list[Lifespan]:
        """What surrounds its service, outermost first."""

    def measures(self) -> list[Measure]:
        """What it counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One registration: a pattern and methods, and how to come by their handler.

    Without methods it is something mounted: every method at and below the pattern.
    """

    pattern: Pattern
    methods: tuple[str, ...]
    make: Callable[[], Function]  # called once, when the application is frozen
    handler: str  # its qualified name
    where: str
    settings: Settings
    ring: Ring
    inner: Application | None = None  # the application that is mounted

    def routes(self) -> list[Route]:
        """The entry as it is listed; an application with all it holds."""
        name, text = self.settings.name, self.pattern.text
        if self.methods:
            return [Route(text, self.methods, name, self.handler, self.where)]
        if self.inner is None:
            return [Route(f"{text}/*", (), None, self.handler, self.where)]
        return [
            Route(
                text + each.pattern, each.methods, each.name, each.handler, each.where
            )
            for each in self.inner.routes
        ]


class Book:
    """Entries, names and lifespans in the order they came; conflicts are refused."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.lifespans: list[Lifespan | Application] = []
        self.measures: list[Measure] = []
        self.closed = False
        self._taken: dict[tuple[object, ...], Entry] = {}
        self._named: dict[str, Entry] = {}

    def require_open(self, where: str) -> None:
        """Refuse what comes after the application was frozen, with SetupError."""
        if self.closed:
            msg = (
                f"{where}: the application is frozen already; register everything "
                "before it is served"
            )
            raise SetupError(msg)

    def add(self, entry: Entry) -> None:
        """Take *entry* in; SetupError names both places of a conflict."""
        self.require_open(entry.where)
        for method in entry.methods or ("*",):
            other = self._taken.setdefault((shape(entry.pattern), method), entry)
            if other is not entry:
                msg = (
                    f"{entry.where}: {method} {entry.pattern.text} is answered already "
                    f"by {other.handler}, registered for {other.pattern.text} at "
                    f"{other.where}; remove one"
                )
                raise SetupError(msg)
        self._name(entry)
        self.entries.append(entry)

    def _name(self, entry: Entry) -> None:
        name = entry.settings.name
        if name is None:
            return
        other = self._named.setdefault(name, entry)
        # The methods of one resource share its name.
        if (other.pattern, other.where) != (entry.pattern, entry.where):
            msg = (
                f"{entry.where}: the name {name!r} is taken by {other.pattern.text} at "
                f"{other.where}; rename one"
            )
            raise SetupError(msg)

    def surround(self, lifespan: Lifespan | Application) -> None:
        """Add a lifespan, once however often it comes."""
        if lifespan not in self.lifespans:
            self.lifespans.append(lifespan)

    def named(self, name: str) -> Pattern:
        """The pattern of the route with *name*; SetupError lists those there are."""
        if name not in self._named:
            near = difflib.get_close_matches(name, self._named) or sorted(self._named)
            known = ", ".join(map(repr, near)) or "none has a name"
            msg = f"no route is named {name!r}; there is {known}"
            raise SetupError(msg)
        return self._named[name].pattern


def pattern(path: str, where: str, prefix: str = "") -> Pattern:
    """The pattern of *path* under *prefix*; SetupError names the place if it is none.

    Under a prefix *path* may be empty: the prefix itself.
    """
    if not isinstance(path, str):
        msg = f"{where}: a path is text, not {path!r}; write @app.get('/path')"
        raise SetupError(msg)
    if prefix and path and not path.startswith("/"):
        msg = f"{where}: the path {path!r} must start with /; write '/{path}'"
        raise SetupError(msg)
    try:
        return parse_pattern(prefix + path)
    except PatternError as error:
        msg = f"{where}: {error}"
        raise SetupError(msg) from None
