"""Endpoints: what answers one method at one URL, composed once."""

from __future__ import annotations

from collections.abc import Sequence

from trioweb.app.book import Entry
from trioweb.app.call import Called, caller
from trioweb.app.errors import Boundary
from trioweb.app.layers import Ring, common, compose
from trioweb.app.routes import WEBSOCKET
from trioweb.app.tree import Values
from trioweb.message.handler import Handler, Layer
from trioweb.message.request import Request
from trioweb.message.response import Response


class Endpoint:
    """A handler inside its layers and the boundary, and its route's settings."""

    __slots__ = ("_handler", "_names", "_route", "_settings")

    def __init__(self, entry: Entry, boundary: Boundary) -> None:
        self._settings = entry.settings
        self._names = entry.pattern.names
        self._route = entry.pattern.text if entry.methods else f"{entry.pattern.text}/*"
        handler = caller(entry.make(), self._names)
        layers = (*entry.ring.all_layers(), *entry.settings.layers)
        self._handler = enclose(boundary, layers, handler, entry.handler)

    def take(self, request: Request, values: Values) -> Handler:
        """Note on *request* what its route says; the handler that answers it."""
        settings = self._settings
        request.route = self._route
        request.body_limit = settings.body_limit
        request.wants_session = settings.session
        if values:
            request.params = dict(zip(self._names, values, strict=True))
        request.exchange.limit(settings.timeout)
        if settings.on_disconnect != "cancel":
            request.exchange.on_disconnect(settings.on_disconnect)
        return self._handler


class URL:
    """The endpoints of one URL, by method; or, of something mounted, one for all."""

    __slots__ = ("every", "methods", "ring", "websocket")

    def __init__(self) -> None:
        self.methods: dict[str, Endpoint] = {}
        self.every: Endpoint | None = None
        self.websocket: Endpoint | None = None  # in place of that of GET
        self.ring: Ring | None = None  # the innermost around all methods

    def add(self, entry: Entry, boundary: Boundary) -> None:
        """Answer the methods of *entry*; all of them, if it has none."""
        endpoint = Endpoint(entry, boundary)
        self.ring = common(self.ring, entry.ring) if self.ring else entry.ring
        if not entry.methods:
            self.every = endpoint
        for method in entry.methods:
            if method == WEBSOCKET:
                self.websocket = endpoint
            else:
                self.methods[method] = endpoint

    def complete(self) -> None:
        """Answer what can be answered by the handler of another method.

        A GET where there is only a WebSocket is told so by that.
        """
        if self.websocket is not None:
            self.methods.setdefault("GET", self.websocket)
        if "GET" in self.methods:
            self.methods.setdefault("HEAD", self.methods["GET"])

    def endpoint(self, request: Request) -> Endpoint | None:
        """What answers the method of *request*, or its handshake."""
        if self.websocket is not None and request.upgrade == "websocket":
            if request.method == "GET":
                return self.websocket
        return self.methods.get(request.method)

    def allowed(self) -> set[str]:
        """The methods of the URL, with the one that every URL answers."""
        return {"OPTIONS", *self.methods}


def enclose(
    boundary: Boundary, layers: Sequence[Layer], handler: Called, name: str
) -> Handler:
    """*handler* inside *layers*, contained by *boundary* within and without them.

    And within each layer that says `wants_responses`: what a layer inside it raises is
    a response by then.
    """
    inside = boundary.contain(handler, name)
    start = len(layers)
    for at in reversed(range(len(layers))):
        if getattr(layers[at], "wants_responses", False) and at + 1 < len(layers):
            inner = compose(layers[at + 1 : start], inside)
            inside, start = boundary.contain(inner, name, _passed_on), at + 1
    if not layers:
        return inside
    return boundary.contain(compose(layers[:start], inside), name, _passed_on)


def _passed_on(answer: object, name: str) -> Response:
    """What layers returned; TypeError for what is no Response.

    It is not turned into one, as a handler's would be: a layer further out expects a
    Response, and None is a forgotten return, which would be answered with 204.
    """
    if isinstance(answer, Response):
        return answer
    found = type(answer).__name__
    msg = f"a layer around {name} returned {found}; return what handler() returned"
    raise TypeError(msg)
