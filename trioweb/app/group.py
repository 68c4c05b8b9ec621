"""Group: a prefix and layers, and the verbs that register routes under them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, TypeVar, Unpack

from trioweb.app.book import Application, Book, Entry, pattern
from trioweb.app.call import Called, Function, check, qualified
from trioweb.app.layers import Ring, check_layers
from trioweb.app.lifespan import managed
from trioweb.app.mount import beneath
from trioweb.app.place import place
from trioweb.app.resource import Resource
from trioweb.app.routes import METHODS, WEBSOCKET, Options, Settings
from trioweb.app.websocket.options import (
    Conversation,
    WebSocketOptions,
    settings_of,
)
from trioweb.message.errors import SetupError
from trioweb.message.handler import Layer
from trioweb.rules.pattern import Pattern

if TYPE_CHECKING:
    from trioweb.app.websocket.route import Doorkeeper

F = TypeVar("F", bound=Function)
C = TypeVar("C", bound=type)
T = TypeVar("T")
W = TypeVar("W", bound=Conversation)


class Group:
    """Routes that share a prefix and layers; made by `group()` of another.

    A handler is ``async def``; its first parameter is the request, path parameters are
    handed to it by keyword, converted.  The most specific pattern wins, whatever the
    order of registration.  What cannot work is refused with SetupError, which names the
    place in the source.  The verbs take the keywords of `Options`.
    """

    def __init__(self, book: Book, ring: Ring, prefix: str = "") -> None:
        self._book = book
        self._ring = ring
        self._prefix = prefix

    def get(self, path: str, **options: Unpack[Options]) -> Callable[[F], F]:
        """Answer GET at *path*, and HEAD where no other route does."""
        return self._route(path, ("GET",), options)

    def post(self, path: str, **options: Unpack[Options]) -> Callable[[F], F]:
        """Answer POST at *path*."""
        return self._route(path, ("POST",), options)

    def put(self, path: str, **options: Unpack[Options]) -> Callable[[F], F]:
        """Answer PUT at *path*."""
        return self._route(path, ("PUT",), options)

    def patch(self, path: str, **options: Unpack[Options]) -> Callable[[F], F]:
        """Answer PATCH at *path*."""
        return self._route(path, ("PATCH",), options)

    def delete(self, path: str, **options: Unpack[Options]) -> Callable[[F], F]:
        """Answer DELETE at *path*."""
        return self._route(path, ("DELETE",), options)

    def options(self, path: str, **options: Unpack[Options]) -> Callable[[F], F]:
        """Answer OPTIONS at *path*, where the URL's methods would be listed."""
        return self._route(path, ("OPTIONS",), options)

    def head(self, path: str, **options: Unpack[Options]) -> Callable[[F], F]:
        """Answer HEAD at *path*, where the handler of GET would; no body is sent."""
        return self._route(path, ("HEAD",), options)

    def route(
        self,
        path: str,
        methods: Iterable[str] = ("GET",),
        **options: Unpack[Options],
    ) -> Callable[[F], F]:
        """Answer several *methods* at *path* by one handler."""
        chosen = tuple(sorted({methods} if isinstance(methods, str) else set(methods)))
        if unknown := [method for method in chosen if method not in METHODS]:
            msg = (
                f"{place()}: a route cannot answer {unknown[0]!r}; "
                f"use some of {', '.join(METHODS)}"
            )
            raise SetupError(msg)
        if not chosen:
            msg = f"{place()}: the route {path!r} has no methods; give it some"
            raise SetupError(msg)
        return self._route(path, chosen, options)

    def websocket(
        self, path: str, **options: Unpack[WebSocketOptions]
    ) -> Callable[[W], W]:
        """Talk WebSocket at *path*, by ``async def chat(request, ws)``.

        *ws* is trio-websocket's WebSocketConnection, accepted already.  What layers
        refuse, and whoever asks for no WebSocket, is answered as by any route; the URL
        may have one of `get` besides.  When the function returns or raises, the peer is
        told and the connection closed.  It takes the keywords of `WebSocketOptions`;
        SetupError where trio-websocket is not installed.
        """
        where = place()
        settings = _at(where, partial(settings_of, options))
        self._surround(settings.route.layers, where)
        found = pattern(path, where, self._prefix)
        door = _at(where, _doorkeeper)

        def register(function: W) -> W:
            given = ("request", "ws")
            check(f"{where}: {found.text}", function, given, found.names)
            entry = Entry(
                pattern=found,
                methods=(WEBSOCKET,),
                make=lambda: door(function, settings),
                handler=qualified(function),
                where=where,
                settings=settings.route,
                ring=self._ring,
            )
            self._book.add(entry)
            return function

        return register

    def resource(self, path: str, **options: Unpack[Options]) -> Callable[[C], C]:
        """Answer at *path* with the methods of a class: get, post, put, ….

        The class is instantiated once, without arguments, when the application is
        frozen; its methods are handlers.
        """
        where, settings = place(), self._settings(options)
        found = pattern(path, where, self._prefix)

        def register(kind: C) -> C:
            resource = Resource(kind, where)
            for method in resource.methods:
                entry = Entry(
                    pattern=found,
                    methods=(method,),
                    make=partial(resource.function, method, found.names),
                    handler=resource.handler(method),
                    where=where,
                    settings=settings,
                    ring=self._ring,
                )
                self._book.add(entry)
            return kind

        return register

    def group(self, prefix: str, *, layers: Iterable[Layer] = ()) -> Group:
        """A group under *prefix*, as "/api"; its layers stand inside this one's."""
        group = Group(self._book, Ring(outer=self._ring), self._under(prefix, place()))
        for layer in layers:
            group.use(layer)
        return group

    def mount(self, prefix: str, handler: Called | Application) -> None:
        """Let *handler* answer every method and path at and below *prefix*.

        It sees path and segments relative to *prefix*; patterns that match win over it.
        An application that is mounted answers with its own pages, its own 404 and 405,
        and its lifespans run with this one's.
        """
        where = place()
        text = self._under(prefix, where)
        found = pattern(text, where) if text else Pattern("", (), ())
        if found.names:
            msg = f"{where}: the prefix {text!r} of a mount has parameters; use a group"
            raise SetupError(msg)
        inner = handler if isinstance(handler, Application) else None
        if isinstance(handler, Application):
            self._book.surround(handler)
            make: Callable[[], Called] = partial(
                _frozen, text, len(found.parts), handler
            )
        else:
            check(where, handler, ("request",))
            make = partial(beneath, text, len(found.parts), handler)
        entry = Entry(
            pattern=found,
            methods=(),
            make=make,
            handler=qualified(handler),
            where=where,
            settings=Settings(),
            ring=self._ring,
            inner=inner,
        )
        self._book.add(entry)

    def use(self, layer: Layer) -> None:
        """Put *layer* around the routes of this group, inside those used before.

        It is ``async def layer(request, handler)``, or an object that is called so, and
        returns a Response.  What *handler* raises reaches it as the response that it
        became.  A method ``lifespan(site)`` is run with the application's.
        """
        where = place()
        self._book.require_open(where)
        self._surround([layer], where)
        self._ring.layers.append(layer)

    def _route(
        self, path: str, methods: tuple[str, ...], options: Options
    ) -> Callable[[F], F]:
        where, settings = place(), self._settings(options)
        found = pattern(path, where, self._prefix)

        def register(function: F) -> F:
            check(f"{where}: {found.text}", function, ("request",), found.names)
            entry = Entry(
                pattern=found,
                methods=methods,
                make=lambda: function,
                handler=qualified(function),
                where=where,
                settings=settings,
                ring=self._ring,
            )
            self._book.add(entry)
            return function

        return register

    def _settings(self, options: Options) -> Settings:
        where = place()
        settings = _at(where, lambda: Settings(**options))
        self._surround(settings.layers, where)
        return settings

    def _surround(self, layers: Iterable[Layer], where: str) -> None:
        check_layers(where, layers)
        for layer in layers:
            lifespan = getattr(layer, "lifespan", None)
            if lifespan is not None:
                self._book.surround(managed(lifespan, where))

    def _under(self, prefix: str, where: str) -> str:
        if prefix and not prefix.startswith("/"):
            msg = f"{where}: the prefix {prefix!r} must start with /; write '/{prefix}'"
            raise SetupError(msg)
        return self._prefix + prefix.rstrip("/")


def _at(where: str, make: Callable[[], T]) -> T:
    """What *make* makes; its SetupError begins with *where*."""
    try:
        return make()
    except SetupError as error:
        msg = f"{where}: {error}"
        raise SetupError(msg) from None


def _doorkeeper() -> type[Doorkeeper]:
    # It needs an extra, and nothing that `import trioweb` should wait for.
    from trioweb.app.websocket.route import Doorkeeper  # noqa: PLC0415

    return Doorkeeper


def _frozen(prefix: str, depth: int, inner: Application) -> Called:
    return beneath(prefix, depth, inner.freeze())
