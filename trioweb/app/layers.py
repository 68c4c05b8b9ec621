"""Layers: how they are put around a handler, from the outermost in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from trioweb.app.call import check
from trioweb.message.handler import Handler, Layer


class Ring:
    """The layers of one group, and the ring of the group around it.

    A ring grows until its application is frozen; rings are compared by identity.
    """

    __slots__ = ("layers", "outer")

    def __init__(self, layers: Iterable[Layer] = (), outer: Ring | None = None) -> None:
        self.layers = list(layers)
        self.outer = outer

    def path(self) -> list[Ring]:
        """The rings from the outermost to this one."""
        return [*(self.outer.path() if self.outer else ()), self]

    def all_layers(self) -> list[Layer]:
        """The layers of every ring from the outermost to this one."""
        return [layer for ring in self.path() for layer in ring.layers]


def common(one: Ring, other: Ring) -> Ring:
    """The innermost ring around both, which belong to one application."""
    shared = [a for a, b in zip(one.path(), other.path(), strict=False) if a is b]
    return shared[-1]


def compose(layers: Sequence[Layer], handler: Handler) -> Handler:
    """*handler* inside *layers*, the first outermost."""
    for layer in reversed(layers):
        handler = _around(layer, handler)
    return handler


def check_layers(what: str, layers: Iterable[Layer]) -> None:
    """Refuse what is not ``async def layer(request, handler)``, with SetupError."""
    for layer in layers:
        check(what, layer, ("request", "handler"))


def _around(layer: Layer, inner: Handler) -> Handler:
    # Not async: a layer costs its own coroutine and nothing else.
    return lambda request: layer(request, inner)
