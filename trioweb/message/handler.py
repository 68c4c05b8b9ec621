"""The sentence that joins wire and application: a function from Request to Response."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from trioweb.message.request import Request
from trioweb.message.response import Response

Handler = Callable[[Request], Awaitable[Response]]
"""Answers a request.

An HTTPError it raises is answered as the refusal it is, anything else with 500.
"""

Layer = Callable[[Request, Handler], Awaitable[Response]]
"""Stands around a handler: ``async def layer(request, handler)`` returns a Response.

What the handler inside raises, the layer sees as the Response that it becomes.
"""
