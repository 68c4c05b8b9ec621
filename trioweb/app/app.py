"""App: a notebook of routes, layers and lifespans, composed once into a handler."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypeVar

from trioweb.app.book import Application, Book
from trioweb.app.call import Called, check, qualified
from trioweb.app.errors import Boundary, Fault, Page
from trioweb.app.group import Group
from trioweb.app.layers import Ring
from trioweb.app.lifespan import Lifespan, Surrounding, managed
from trioweb.app.place import place
from trioweb.app.router import Router, Slashes, require_slashes
from trioweb.app.routes import Route
from trioweb.message.errors import SetupError
from trioweb.message.handler import Handler
from trioweb.message.key import Keyed
from trioweb.message.measures import SECONDS, Counter, Histogram, Measure
from trioweb.message.site import Site

P = TypeVar("P", bound=Page)
L = TypeVar("L", bound=Surrounding)
M = TypeVar("M", bound=Measure)


class App(Group, Keyed):
    """An application: what you register on it, served by `trioweb.run` or mounted.

    *slashes* is what becomes of a path that only a slash at its end keeps from
    matching: "redirect" (308 to the other), "strict" (404), "ignore" (answered all the
    same).  ``app[key]`` holds what lifespans leave for handlers, by `Key`.
    """

    def __init__(self, *, slashes: Slashes = "redirect") -> None:
        Group.__init__(self, Book(), Ring())
        Keyed.__init__(self)
        require_slashes(slashes)
        self._slashes = slashes
        self._boundary = Boundary()
        self._handler: Handler | None = None
        self._site: Site | None = None

    def lifespan(self, function: L) -> L:
        """Run *function* around the service: entered before it, left after it.

        It takes the Site and is an async generator that yields once, or returns an
        async context manager; it may hold a nursery.  Several are entered in the order
        of registration and left in reverse.
        """
        where = place()
        self._book.require_open(where)
        self._book.surround(managed(function, where))
        return function

    @property
    def site(self) -> Site:
        """Where it is served: its place among workers, and what they share.

        RuntimeError before its lifespans are entered, and after they were left.
        """
        if self._site is None:
            msg = "an application has a site while it is served; ask in a handler"
            raise RuntimeError(msg)
        return self._site

    def error(self, fault: Fault) -> Callable[[P], P]:
        """Answer *fault* by ``async def page(request, error)``.

        *fault* is a class of exceptions or a status.  For an HTTPError the page of its
        class is looked for first, then that of its status, then that of HTTPError.  Any
        other exception is looked for by its class; if only Exception or 500 has a page,
        it was not expected: it is logged, and answered by that page.  A page may raise
        an HTTPError: so an exception of your own becomes a refusal.
        """
        where = place()
        _require_fault(where, fault)

        def register(page: P) -> P:
            self._book.require_open(where)
            check(where, page, ("request", "error"))
            other = self._boundary.pages.setdefault(fault, page)
            if other is not page:
                msg = f"{where}: {fault!r} has a page already, {qualified(other)}"
                raise SetupError(msg)
            return page

        return register

    def counter(
        self, name: str, description: str, labels: Iterable[str] = ()
    ) -> Counter:
        """A counter that is told with the server's own figures, over all workers.

        ``orders = app.counter("orders_total", "Orders.", ["paid"])``, and in a handler
        ``orders.add(paid="card")``.  SetupError for what Prometheus cannot read.
        """
        return self._measure(lambda: Counter(name, description, labels))

    def histogram(
        self,
        name: str,
        description: str,
        labels: Iterable[str] = (),
        bounds: Iterable[float] = SECONDS,
    ) -> Histogram:
        """A histogram, told as a `counter` is: ``observe(value)`` in a handler.

        *bounds* are the upper ends of its buckets, by default those for seconds.
        """
        return self._measure(lambda: Histogram(name, description, labels, bounds))

    def url(self, name: str, /, **params: object) -> str:
        """The path of the route with *name*, percent-encoded, with *params* in place.

        SetupError if there is no such route, ValueError if *params* do not fit it.
        Where the application is mounted, the path begins below its prefix.
        """
        return self._book.named(name).build(params)

    @property
    def routes(self) -> list[Route]:
        """Every route as it was registered, those of mounted applications too."""
        return [route for entry in self._book.entries for route in entry.routes()]

    def measures(self) -> list[Measure]:
        """Every counter and histogram, those of mounted applications too.

        SetupError for two of one name.
        """
        found = dict.fromkeys(self._book.measures)
        for each in self._book.lifespans:
            if isinstance(each, Application):
                found |= dict.fromkeys(each.measures())
        names: set[str] = set()
        for measure in found:
            name = measure.family.name
            if name in names:
                msg = f"two measures have the name {name!r}; rename one"
                raise SetupError(msg)
            names.add(name)
        return list(found)

    def freeze(self) -> Handler:
        """The handler of all that is registered, composed once; the book is closed.

        SetupError for what cannot work, as a resource that needs arguments.
        """
        if self._handler is not None:
            return self._handler
        if self._book.closed:
            msg = "an application is mounted in itself; remove one of the mounts"
            raise SetupError(msg)
        self._book.closed = True
        try:
            self._handler = Router(
                self._book.entries, self._ring, self._boundary, self._slashes
            )
        finally:
            self._book.closed = self._handler is not None
        return self._handler

    def lifespans(self) -> list[Lifespan]:
        """Every lifespan, outermost first, those of mounted applications too."""
        self.freeze()  # which refuses an application mounted in itself
        found: list[Lifespan] = [self._placed]
        for each in self._book.lifespans:
            inner = each.lifespans() if isinstance(each, Application) else [each]
            # Not a set: an object that is called may be one that cannot be hashed.
            found += [one for one in inner if one not in found]
        return found

    @asynccontextmanager
    async def open(self, site: Site) -> AsyncIterator[None]:
        """Enter every lifespan, and leave them in reverse."""
        async with AsyncExitStack() as entered:
            for lifespan in self.lifespans():
                await entered.enter_async_context(lifespan(site))
            yield

    def _measure(self, make: Callable[[], M]) -> M:
        where = place()
        self._book.require_open(where)
        try:
            measure = make()
        except SetupError as error:
            msg = f"{where}: {error}"
            raise SetupError(msg) from None
        self._book.measures.append(measure)
        return measure

    @asynccontextmanager
    async def _placed(self, site: Site) -> AsyncIterator[None]:
        before, self._site = self._site, site
        try:
            yield
        finally:
            self._site = before


Served = App | Called
"""What can be served: an App, or one handler for every request."""


def as_app(target: Served) -> App:
    """*target* if it is an App; a bare handler as one that answers every request."""
    if isinstance(target, App):
        return target
    app = App()
    app.mount("/", target)
    return app


def _require_fault(where: str, fault: Fault) -> None:
    if isinstance(fault, type):
        if issubclass(fault, Exception):
            return
    elif fault in range(400, 600):  # RFC 9110 15.5, 15.6
        return
    msg = f"{where}: a page is for a class of exceptions or a status from 400 to 599"
    raise SetupError(f"{msg}, not {fault!r}")
