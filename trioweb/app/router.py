"""The router: which handler answers a request, decided before any layer runs."""

from __future__ import annotations

from collections.abc import Awaitable, Iterator
from typing import Literal, get_args

from trioweb.app.book import Entry
from trioweb.app.call import Awaited, Called
from trioweb.app.endpoint import URL, enclose
from trioweb.app.errors import Boundary
from trioweb.app.layers import Ring, common
from trioweb.app.routes import TIMEOUT
from trioweb.app.tree import Tree, Values
from trioweb.message.errors import MethodNotAllowed, NotFound, SetupError
from trioweb.message.handler import Handler
from trioweb.message.request import Request
from trioweb.message.response import Response
from trioweb.rules.pattern import Literal as Text
from trioweb.rules.target import encode_segment

Slashes = Literal["redirect", "strict", "ignore"]
"""What becomes of a path that only a slash at its end keeps from matching."""

Segments = tuple[str, ...]


class Router(Awaited):
    """The handler of a whole application: everything it can answer, composed.

    The automatic answers (404, 405, OPTIONS, a redirect to the other slash) stand
    inside the layers too, so that these can grant or forbid, and add their fields.
    """

    def __init__(
        self, entries: list[Entry], ring: Ring, boundary: Boundary, slashes: Slashes
    ) -> None:
        self._boundary = boundary
        self._slashes = slashes
        self._tree: Tree[URL] = Tree(URL)
        # URLs without parameters, found without a search.
        self._static: dict[Segments, URL] = {}
        for entry in entries:
            self._add(entry)
        for url in self._tree.leaves():
            url.complete()
        self._missing = self._within(ring, _missing)
        self._moved = self._within(ring, _move)
        self._everything = self._within(ring, self._offer)
        rings = {ring, *(each for entry in entries for each in entry.ring.path())}
        self._refusals = {each: self._within(each, self._refuse) for each in rings}

    def _add(self, entry: Entry) -> None:
        if not entry.methods:
            self._tree.below(entry.pattern).add(entry, self._boundary)
            return
        url = self._tree.at(entry.pattern)
        url.add(entry, self._boundary)
        if not entry.pattern.names:
            texts = (
                part.text for part in entry.pattern.parts if isinstance(part, Text)
            )
            self._static[tuple(texts)] = url

    def _within(self, ring: Ring, handler: Called) -> Handler:
        return enclose(self._boundary, ring.all_layers(), handler, "the router")

    def __call__(self, request: Request) -> Awaitable[Response]:
        """Answer *request*."""
        url = self._static.get(request.segments)
        if url is not None:
            endpoint = url.endpoint(request)
            if endpoint is not None:
                return endpoint.take(request, ())(request)
        elif found := self._tree.first(request.segments):
            endpoint = found[0].endpoint(request)
            if endpoint is not None:
                return endpoint.take(request, found[1])(request)
        return self._choose(request)(request)

    def _choose(self, request: Request) -> Handler:
        found = self._search(request, request.segments)
        if found is not None:
            return found
        request.exchange.limit(TIMEOUT)
        if not request.segments:
            return self._everything
        return self._elsewhere(request) or self._missing

    def _search(self, request: Request, segments: Segments) -> Handler | None:
        ring: Ring | None = None  # around the URLs that match, but not with the method
        for url, values in self._matches(segments):
            endpoint = url.endpoint(request)
            if endpoint is None and ring is None:
                # What is mounted gets what no route knows, and not the rest of what
                # one knows: a URL's 405 says all its methods, whatever lies below it.
                endpoint = url.every
            if endpoint is not None:
                return endpoint.take(request, values)
            if url.methods and url.ring is not None:
                ring = common(ring, url.ring) if ring else url.ring
        if ring is None:
            return None
        request.exchange.limit(TIMEOUT)
        return self._refusals[ring]

    def _elsewhere(self, request: Request) -> Handler | None:
        """What answers where only a slash at the end of the path is wrong."""
        other = _toggled(request.segments)
        if self._slashes != "redirect" or other is None:
            return None
        return self._moved if any(self._tree.matches(other)) else None

    def _matches(self, segments: Segments) -> Iterator[tuple[URL, Values]]:
        """The URLs that match, the most specific first; with the other slash last.

        The latter only where a slash at the end does not count.
        """
        yield from self._tree.matches(segments)
        other = _toggled(segments) if segments else None
        if self._slashes == "ignore" and other is not None:
            yield from self._tree.matches(other)

    def _allowed(self, segments: Segments) -> set[str]:
        urls = [url for url, _ in self._matches(segments)]
        return {method for url in urls if url.methods for method in url.allowed()}

    async def _refuse(self, request: Request) -> Response:
        return _answer(request, self._allowed(request.segments))

    async def _offer(self, request: Request) -> Response:
        """Answer the asterisk: what the whole server can (RFC 9110 section 9.3.7)."""
        methods = [url.methods for url in self._tree.leaves()]
        return _answer(request, {"OPTIONS"}.union(*methods))


def require_slashes(slashes: str) -> None:
    """Refuse a policy that there is none of, with SetupError."""
    if slashes not in get_args(Slashes):
        choices = ", ".join(map(repr, get_args(Slashes)))
        msg = f"slashes is one of {choices}, not {slashes!r}"
        raise SetupError(msg)


def _answer(request: Request, allow: set[str]) -> Response:
    if request.method != "OPTIONS":
        raise MethodNotAllowed(allow)
    return Response(204, {"allow": ", ".join(sorted(allow))})


def _toggled(segments: Segments) -> Segments | None:
    """The same path with a slash at its end, or without the one it has."""
    if segments[-1]:
        return (*segments, "")
    return segments[:-1] or None


async def _missing(_: Request) -> Response:
    raise NotFound


async def _move(request: Request) -> Response:
    # The target, not the request's own segments: those are relative where mounted.
    path = "/" + "/".join(map(encode_segment, _toggled(request.target.segments) or ()))
    if path.startswith("//"):
        # As a Location that would be another host (RFC 3986 section 4.2).
        raise NotFound
    query = f"?{request.target.query}" if request.target.query else ""
    return Response(308, {"location": path + query})
