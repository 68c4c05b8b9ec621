"""Mounting: how a handler below a prefix sees the request."""

from __future__ import annotations

from trioweb.app.answers import Answer
from trioweb.app.call import Called
from trioweb.message.request import Request


def beneath(prefix: str, depth: int, handler: Called) -> Called:
    """*handler*, seeing paths relative to *prefix*, which has *depth* segments.

    It is given the same request, not a copy: its body, session and keys stay one thing,
    and so does its exchange, which the wire ends.  What it is shown as the path is put
    back when it returns; the target always has the whole.
    """
    if depth == 0:
        return handler

    async def mounted(request: Request) -> Answer:
        path, segments, route = request.path, request.segments, request.route
        request.segments = segments[depth:] or ("",)
        request.path = "/" + "/".join(request.segments)
        request.route = None
        try:
            return await handler(request)
        finally:
            request.path, request.segments = path, segments
            request.route = _whole(prefix, request.route) or route

    return mounted


def _whole(prefix: str, route: str | None) -> str | None:
    # For whoever counts exchanges by route.
    return None if route is None else prefix + route
