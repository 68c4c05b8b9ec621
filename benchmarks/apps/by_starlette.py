"""The work of the comparison, by Starlette."""

from __future__ import annotations

from collections.abc import AsyncIterator
from importlib import import_module
from typing import Any, TypeAlias

from benchmarks.apps.content import PIECE, PIECES, path

# Not by import statements: it is not installed where types are checked.
_routing: Any = import_module("starlette.routing")
_applications: Any = import_module("starlette.applications")
_answers: Any = import_module("starlette.responses")
_Request: TypeAlias = Any
_Response: TypeAlias = Any


async def plaintext(request: _Request) -> _Response:
    """Text."""
    return _answers.PlainTextResponse("Hello, World!")


async def message(request: _Request) -> _Response:
    """A small object."""
    return _answers.JSONResponse({"message": "Hello, World!"})


async def user(request: _Request) -> _Response:
    """A parameter of the path, converted."""
    return _answers.JSONResponse({"id": request.path_params["id"]})


async def echo(request: _Request) -> _Response:
    """The body, as it came."""
    return _answers.Response(await request.body())


async def stream(request: _Request) -> _Response:
    """A body in pieces."""
    return _answers.StreamingResponse(_pieces())


async def _pieces() -> AsyncIterator[bytes]:  # noqa: ASYNC900  # it asks for one
    for _ in range(PIECES):
        yield PIECE


async def file(request: _Request) -> _Response:
    """A file."""
    return _answers.FileResponse(path())


app = _applications.Starlette(
    routes=[
        _routing.Route("/", plaintext),
        _routing.Route("/json", message),
        _routing.Route("/users/{id:int}", user),
        _routing.Route("/echo", echo, methods=["POST"]),
        _routing.Route("/stream", stream),
        _routing.Route("/file", file),
    ]
)
