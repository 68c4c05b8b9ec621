"""The work of the comparison, by Quart on Trio."""

from __future__ import annotations

from collections.abc import AsyncIterator
from importlib import import_module
from typing import Any, TypeAlias

from benchmarks.apps.content import PIECE, PIECES, path

# Not by import statements: they are not installed where types are checked.
_quart: Any = import_module("quart")
_quart_trio: Any = import_module("quart_trio")
_Response: TypeAlias = Any


async def plaintext() -> _Response:
    """Text."""
    return "Hello, World!", {"content-type": "text/plain; charset=utf-8"}


async def message() -> dict[str, str]:
    """A small object."""
    return {"message": "Hello, World!"}


async def user(id: int) -> dict[str, int]:  # noqa: A002
    """A parameter of the path, converted."""
    return {"id": id}


async def echo() -> _Response:
    """The body, as it came."""
    return await _quart.request.get_data()


async def stream() -> AsyncIterator[bytes]:
    """A body in pieces."""
    return _pieces()


async def _pieces() -> AsyncIterator[bytes]:  # noqa: ASYNC900  # it asks for one
    for _ in range(PIECES):
        yield PIECE


async def file() -> _Response:
    """A file."""
    return await _quart.send_file(path(), mimetype="application/octet-stream")


app = _quart_trio.QuartTrio("compared")
app.add_url_rule("/", view_func=plaintext)
app.add_url_rule("/json", view_func=message)
app.add_url_rule("/users/<int:id>", view_func=user)
app.add_url_rule("/echo", view_func=echo, methods=["POST"])
app.add_url_rule("/stream", view_func=stream)
app.add_url_rule("/file", view_func=file)
