"""The work of the comparison, by FastAPI, with its types checked by pydantic."""

from __future__ import annotations

from collections.abc import AsyncIterator
from importlib import import_module
from typing import Annotated, Any, TypeAlias

from benchmarks.apps.content import PIECE, PIECES, path

# Not by import statements: they are not installed where types are checked.
_fastapi: Any = import_module("fastapi")
_answers: Any = import_module("fastapi.responses")
_pydantic: Any = import_module("pydantic")
_Request: TypeAlias = _fastapi.Request
_Response: TypeAlias = Any


class Line(_pydantic.BaseModel):  # type: ignore[misc]  # of a type nobody knows here
    """So many of one thing."""

    sku: str
    count: int


class Order(_pydantic.BaseModel):  # type: ignore[misc]  # see above
    """What somebody orders."""

    id: int
    name: Annotated[str, _pydantic.Field(max_length=100)]
    lines: list[Line]


class Counted(_pydantic.BaseModel):  # type: ignore[misc]  # see above
    """How many things an order is about."""

    id: int
    count: int


async def plaintext() -> str:
    """Text."""
    return "Hello, World!"


async def message() -> dict[str, str]:
    """A small object."""
    return {"message": "Hello, World!"}


async def user(id: int) -> dict[str, int]:  # noqa: A002
    """A parameter of the path, converted."""
    return {"id": id}


async def echo(request: _Request) -> _Response:
    """The body, as it came."""
    return _answers.Response(await request.body())


async def count(order: Order) -> Counted:
    """A body of JSON, checked, and an answer with a type."""
    return Counted(id=order.id, count=sum(line.count for line in order.lines))


async def stream() -> _Response:
    """A body in pieces."""
    return _answers.StreamingResponse(_pieces())


async def _pieces() -> AsyncIterator[bytes]:  # noqa: ASYNC900  # it asks for one
    for _ in range(PIECES):
        yield PIECE


async def file() -> _Response:
    """A file."""
    return _answers.FileResponse(path())


app = _fastapi.FastAPI()
app.get("/", response_class=_answers.PlainTextResponse)(plaintext)
app.get("/json")(message)
app.get("/users/{id}")(user)
app.post("/echo")(echo)
app.post("/orders")(count)
app.get("/stream")(stream)
app.get("/file")(file)
