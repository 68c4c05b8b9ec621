"""Handlers: what can be called, decided when it is registered."""

from __future__ import annotations

import functools
from collections.abc import Callable

import pytest

from tests.app.asking import ask, said
from trioweb.app.app import App
from trioweb.message.errors import SetupError
from trioweb.message.handler import Handler
from trioweb.message.request import Request


async def plain(request: Request) -> str:
    return f"{request.method} {request.path}"


async def keyed(request: Request, key: str) -> str:
    return key


class Called:
    async def __call__(self, request: Request) -> str:
        return "called"

    async def method(self, request: Request) -> str:
        return "method"


async def several(word: str, request: Request, key: str = "none") -> str:
    return f"{word} {key}"


HANDLERS: list[tuple[str, Callable[..., object], str]] = [
    ("an object", Called(), "called"),
    ("a method", Called().method, "method"),
    ("a partial", functools.partial(several, "word"), "word none"),
    ("a partial of an object", functools.partial(Called()), "called"),
]


@pytest.mark.parametrize(
    ("handler", "answer"), [row[1:] for row in HANDLERS], ids=[r[0] for r in HANDLERS]
)
async def test_whatever_is_asynchronous_is_a_handler(
    handler: Handler, answer: str
) -> None:
    app = App()
    app.get("/")(handler)
    assert said(await ask(app, "GET", "/")) == answer
    assert "<" not in app.routes[0].handler


def synchronous(request: Request) -> str:
    return ""


class Synchronous:
    def __call__(self, request: Request) -> str:
        return ""


async def needy(request: Request, key: str, more: str) -> str:
    return ""


async def nothing() -> str:
    return ""


async def same(key: str) -> str:
    return ""


WRONG = [
    ("synchronous", "/{key}", synchronous, "make it async def"),
    ("a lambda", "/{key}", lambda request, key: "", "make it async def"),
    ("an object", "/{key}", Synchronous(), "make it async def"),
    ("a class", "/{key}", Called, "make it async def"),
    ("no function", "/{key}", "plain", "cannot be called"),
    ("unexpected", "/{key}", plain, "must take (request, key): got an unexpected"),
    ("missing", "/{key}", needy, "must take (request, key): missing a required"),
    ("misnamed", "/{name}", keyed, "must take (request, name): missing a required"),
    ("no request", "/", nothing, "must take (request): too many positional"),
    ("one for two", "/{key}", same, "multiple values for argument 'key'"),
]


@pytest.mark.parametrize(
    ("path", "handler", "message"),
    [row[1:] for row in WRONG],
    ids=[r[0] for r in WRONG],
)
def test_a_handler_that_cannot_be_called_is_refused(
    path: str, handler: Handler, message: str
) -> None:
    with pytest.raises(SetupError) as raised:
        App().get(path)(handler)
    assert message in str(raised.value)
    assert str(raised.value).startswith(f"{__file__}:")
    assert f": {path}: " in str(raised.value)


def test_a_function_written_in_c_is_refused_too() -> None:
    with pytest.raises(SetupError, match="make it async def"):
        App().get("/")(print)  # type: ignore[type-var]  # which is the mistake
