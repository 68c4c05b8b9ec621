"""The boundary: whatever a handler raises becomes a response, and failures are logged.

It stands around each handler, so that layers see responses, and around the layers,
which may raise too.  Only PeerGone, cancellation and what is no Exception pass.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from trioweb.app.answers import Answer, respond
from trioweb.app.call import Called, qualified
from trioweb.app.events import Events
from trioweb.message.errors import BadRequest, HTTPError, PeerGone, departed, sole
from trioweb.message.handler import Handler
from trioweb.message.problem import problem
from trioweb.message.request import Request
from trioweb.message.response import Response
from trioweb.rules.multimap import MissingKey

Page = Callable[[Request, Any], Awaitable[Answer]]
"""``async def page(request, error)``: answers in place of what *error* would be."""

Fault = type[Exception] | int
"""What a page is for: a class of exceptions, or a status."""

# Characters of a path in a log line: enough to know it by.  A peer chooses the path,
# and must not choose how much is written.
_PATH_LIMIT = 512

_INTERNAL = 500

_log = logging.getLogger("trioweb.error")


class Boundary:
    """Turns what is raised into responses, by the pages of one application."""

    __slots__ = ("pages",)

    def __init__(self) -> None:
        self.pages: dict[Fault, Page] = {}

    def contain(
        self,
        handler: Called,
        name: str,
        turn: Callable[[object, str], Response] = respond,
    ) -> Handler:
        """*handler*, answering with a Response whatever it returns or raises.

        *turn* makes one of an answer that is none; *name* is what a complaint about the
        answer calls it.  PeerGone passes, for there is nobody to answer; so does
        whatever is no Exception.
        """

        async def contained(request: Request) -> Response:
            try:
                answer = await handler(request)
                if type(answer) is Events:
                    answer = answer.to(request)
                # The check once more, here: most handlers need no call for it.
                return answer if type(answer) is Response else turn(answer, name)
            except Exception as error:  # noqa: BLE001  # one of the two boundaries
                return await self._answer(request, error)

        return contained

    async def _answer(self, request: Request, raised: Exception) -> Response:
        error = sole(raised)
        if departed(error):
            raise PeerGone from error
        if isinstance(error, MissingKey):
            error = BadRequest(f"the request lacks {error.key!r}")
        if isinstance(error, HTTPError):
            return await self._refuse(request, error)
        page = self._first(_kinds(error, Exception))
        if page is None:
            _report(request, raised)
            page = self.pages.get(_INTERNAL) or self.pages.get(Exception)
        if page is None:
            return problem(HTTPError(_INTERNAL), request.headers.get("accept"))
        return await self._turn(page, request, error, _INTERNAL)

    async def _refuse(self, request: Request, error: HTTPError) -> Response:
        # What says more comes first: the class, then its status, then any refusal.
        page = self._first([*_kinds(error, HTTPError), error.status, HTTPError])
        if page is None:
            return problem(error, request.headers.get("accept"))
        response = await self._turn(page, request, error, error.status)
        # A page must not lose what the status requires: the Allow of a 405
        # (RFC 9110 section 15.5.6), the challenge of a 401.  Not in its own response,
        # which it may return again for another URL.
        fields = error.headers.copy()
        fields.update(response.headers)
        return Response(response.status, fields, response.body)

    def _first(self, faults: list[Fault]) -> Page | None:
        found = (self.pages[fault] for fault in faults if fault in self.pages)
        return next(found, None)

    async def _turn(
        self, page: Page, request: Request, error: Exception, status: int
    ) -> Response:
        try:
            answer = await page(request, error)
            response = respond(answer, qualified(page))
        except Exception as raised:  # noqa: BLE001  # the boundary goes on
            return await self._answer_page(request, error, raised)
        if response is not answer:
            response.status = status  # a plain value says nothing of its status
        return response

    async def _answer_page(
        self, request: Request, error: Exception, raised: Exception
    ) -> Response:
        """What becomes of what the page for *error* has *raised* itself."""
        fault = sole(raised)
        if departed(fault):
            raise PeerGone from fault
        if not isinstance(fault, HTTPError):
            # The failure carries the error it was to answer as its context.
            _report(request, raised)
            fault = HTTPError(_INTERNAL)
        elif not isinstance(error, HTTPError):
            return await self._refuse(request, fault)
        # No second page for a refusal: two could send it to each other for ever.
        return problem(fault, request.headers.get("accept"))


def _kinds(error: Exception, root: type[Exception]) -> list[Fault]:
    """The classes of *error* below *root*, its own first."""
    mro = type(error).__mro__
    return [kind for kind in mro[: mro.index(root)] if issubclass(kind, Exception)]


def _report(request: Request, error: Exception) -> None:
    # Written as repr() writes it: one line, and nothing that steers a terminal.
    path = request.target.path[:_PATH_LIMIT]
    _log.error("%s %r failed", request.method, path, exc_info=error)
