"""App: names, the table, freezing, and the lifespans around its service."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
import trio.testing

from tests.app.asking import ask, said
from trioweb.app.app import App
from trioweb.app.book import Lifespan
from trioweb.message.errors import SetupError
from trioweb.message.handler import Handler
from trioweb.message.key import Key
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
        lambda: app.lifespan(noting([], "a")),
        lambda: app.error(404)(page),
        lambda: app.resource("/x")(Kind),
    ):
        with pytest.raises(SetupError) as raised:
            register()
        assert "frozen already" in str(raised.value)
        assert str(raised.value).startswith(f"{__file__}:")


async def layer(request: Request, handler: Handler) -> Response:
    return await handler(request)


async def page(request: Request, error: Exception) -> str:
    return ""


class Kind:
    async def get(self, request: Request) -> None: ...


def noting(notes: list[str], name: str) -> Lifespan:
    @asynccontextmanager
    async def lifespan(site: Site) -> AsyncIterator[None]:
        assert site is SITE
        notes.append(f"enter {name}")
        try:
            yield
        finally:
            notes.append(f"leave {name}")

    return lifespan


class Keeping:
    """A layer with a lifespan."""

    def __init__(self, notes: list[str]) -> None:
        self._notes = notes

    async def __call__(self, request: Request, handler: Handler) -> Response:
        self._notes.append("layer")
        return await handler(request)

    @asynccontextmanager
    async def lifespan(self, site: Site) -> AsyncIterator[None]:
        self._notes.append("enter layer")
        yield
        self._notes.append("leave layer")


async def test_lifespans_are_entered_in_order_and_left_in_reverse() -> None:
    notes: list[str] = []
    app, inner = App(), App()
    app.lifespan(noting(notes, "a"))
    keeping = Keeping(notes)
    app.use(keeping)
    inner.lifespan(noting(notes, "inner"))
    app.mount("/one", inner)
    app.mount("/two", inner)  # its lifespan runs once all the same
    app.group("/g", layers=[keeping]).get("/", layers=[keeping])(plain)

    @app.lifespan
    async def last(site: Site) -> AsyncIterator[None]:
        notes.append("enter last")
        yield
        notes.append("leave last")

    async with app.open(SITE):
        notes.append("serving")
        await ask(app, "GET", "/g/")
    names = ["a", "layer", "inner", "last"]
    assert notes == [
        *(f"enter {name}" for name in names),
        "serving",
        *["layer"] * 3,
        *(f"leave {name}" for name in reversed(names)),
    ]


DB = Key[str]("db")


async def test_a_lifespan_may_hold_a_nursery_and_leave_values() -> None:
    app = App()
    ended: list[str] = []

    @app.lifespan
    @asynccontextmanager
    async def background(site: Site) -> AsyncIterator[None]:
        async def run() -> None:
            try:
                await trio.sleep_forever()
            finally:
                ended.append("run")

        async with trio.open_nursery() as tasks:
            tasks.start_soon(run)
            await trio.testing.wait_all_tasks_blocked()
            app[DB] = "pool"
            yield
            tasks.cancel_scope.cancel()

    @app.get("/")
    async def read(request: Request) -> str:
        return app[DB]

    async with app.open(SITE):
        assert said(await ask(app, "GET", "/")) == "pool"
        assert ended == []
    assert ended == ["run"]


async def test_a_lifespan_that_cannot_start_leaves_those_before_it() -> None:
    notes: list[str] = []
    app = App()
    app.lifespan(noting(notes, "a"))

    @app.lifespan
    async def broken(site: Site) -> AsyncIterator[None]:
        raise ConnectionRefusedError
        yield

    with pytest.raises(ConnectionRefusedError):
        async with app.open(SITE):
            notes.append("serving")
    assert notes == ["enter a", "leave a"]


async def never(site: Site) -> None: ...


@asynccontextmanager
async def none() -> AsyncIterator[None]:
    yield


def blocking(site: Site) -> Iterator[None]:
    yield


LIFESPANS: list[tuple[str, object, str]] = [
    ("no yield", never, "never yields"),
    ("no site", none, "must take (site)"),
    ("synchronous", blocking, "make it an async generator"),
]


@pytest.mark.parametrize(
    ("function", "message"),
    [row[1:] for row in LIFESPANS],
    ids=[r[0] for r in LIFESPANS],
)
def test_a_lifespan_that_cannot_be_is_refused(
    function: Callable[[Site], AsyncIterator[None]], message: str
) -> None:
    with pytest.raises(SetupError) as raised:
        App().lifespan(function)
    assert message in str(raised.value)
    assert str(raised.value).startswith(f"{__file__}:")
