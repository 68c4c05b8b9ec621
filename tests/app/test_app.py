"""App: names, the table, freezing."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from trioweb.app.app import App
from trioweb.message.errors import SetupError
from trioweb.message.handler import Handler
from trioweb.message.request import Request
from trioweb.message.response import Response
from trioweb.message.site import Site

SITE = Site(workers=1, worker=0, directory=Path("/nowhere"))


async def plain(request: Request) -> str:
    return f"{request.method} {request.path}"


async def keyed(request: Request, key: str) -> str:
    return key


def here() -> str:
    """The place of the line that calls this."""
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return f"{__file__}:{frame.f_back.f_lineno}"


def test_a_url_is_built_by_name() -> None:
    app = App()
    app.group("/api").get("/users/{key}", name="user")(keyed)
    app.get("/")(plain)
    assert app.url("user", key="a/b 김") == "/api/users/a%2Fb%20%EA%B9%80"
    for wrong in ({}, {"key": ""}, {"key": "a", "more": 1}):
        with pytest.raises(ValueError, match="the pattern"):
            app.url("user", **wrong)
    with pytest.raises(SetupError, match="no route is named 'users'; there is 'user'"):
        app.url("users")
    with pytest.raises(SetupError, match="none has a name"):
        App().url("users")


def test_the_table_lists_everything_in_order() -> None:
    inner = App()
    inner.get("/in/{key}", name="inner")(keyed)
    app = App()
    place = here()
    app.get("/", name="home")(plain)
    app.mount("/files/", plain)
    app.mount("/inner", inner)
    line = int(place.rpartition(":")[2])
    rows = [(each.pattern, each.methods, each.name) for each in app.routes]
    assert rows == [
        ("/", ("GET",), "home"),
        ("/files/*", (), None),
        ("/inner/in/{key}", ("GET",), "inner"),
    ]
    assert app.routes[0].where == f"{__file__}:{line + 1}"
    assert app.routes[0].handler == "tests.app.test_app.plain"


def test_a_frozen_application_takes_no_more() -> None:
    app = App()
    api = app.group("/api")
    assert app.freeze() is app.freeze()
    for register in (
        lambda: app.get("/")(plain),
        lambda: api.post("/")(plain),
        lambda: app.mount("/x", plain),
        lambda: app.use(layer),
        lambda: app.lifespan(serving),
        lambda: app.error(404)(page),
        lambda: app.resource("/x")(Kind),
    ):
        with pytest.raises(SetupError) as raised:
            register()
        assert "frozen already" in str(raised.value)
        assert str(raised.value).startswith(f"{__file__}:")


async def layer(request: Request, handler: Handler) -> Response:
    return await handler(request)


@asynccontextmanager
async def serving(site: Site) -> AsyncIterator[None]:
    yield


async def page(request: Request, error: Exception) -> str:
    return ""


class Kind:
    async def get(self, request: Request) -> None: ...


async def test_an_application_and_what_is_mounted_in_it_know_their_site() -> None:
    inner, outer = App(), App()
    outer.mount("/inner", inner)
    for app in (inner, outer):
        with pytest.raises(RuntimeError, match="while it is served"):
            _ = app.site
    async with outer.open(SITE):
        assert outer.site is SITE
        assert inner.site is SITE
        with inner.site.topics.subscribe("room") as messages:
            await outer.site.topics.publish("room", "hello")
            assert await anext(messages) == "hello"
    with pytest.raises(RuntimeError, match="while it is served"):
        _ = inner.site
