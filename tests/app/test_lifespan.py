"""Lifespans: in which forms they may be written, and when they run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import trio
import trio.testing

from tests.app.asking import ask, said
from trioweb.app.app import App
from trioweb.app.lifespan import Lifespan
from trioweb.message.errors import SetupError
from trioweb.message.handler import Handler
from trioweb.message.key import Key
from trioweb.message.request import Request
from trioweb.message.response import Response
from trioweb.message.site import Site

SITE = Site(workers=1, worker=0, directory=Path("/nowhere"))


async def plain(request: Request) -> str:
    return f"{request.method} {request.path}"


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


class Yielding:
    """A layer whose lifespan is written as that of an application may be."""

    def __init__(self, notes: list[str]) -> None:
        self._notes = notes

    async def __call__(self, request: Request, handler: Handler) -> Response:
        return await handler(request)

    async def lifespan(  # noqa: ASYNC900  # App.use makes a context manager of it
        self, site: Site
    ) -> AsyncIterator[None]:
        self._notes.append("enter")
        yield
        self._notes.append("leave")


async def test_the_lifespan_of_a_layer_may_be_a_generator_and_runs_once() -> None:
    notes: list[str] = []
    app = App()
    yielding = Yielding(notes)
    app.use(yielding)
    app.group("/g", layers=[yielding]).get("/")(plain)
    async with app.open(SITE):
        assert notes == ["enter"]
    assert notes == ["enter", "leave"]


def test_the_lifespan_of_a_layer_that_cannot_be_is_refused() -> None:
    class Never(Keeping):
        async def lifespan(  # type: ignore[override]  # the mistake
            self, site: Site
        ) -> None: ...

    with pytest.raises(SetupError, match="never yields") as raised:
        App().use(Never([]))
    assert str(raised.value).startswith(f"{__file__}:")


@dataclass
class Settings:
    """A lifespan that cannot be hashed."""

    served: int = 0

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        self.served += 1
        yield

    def __call__(self, site: Site) -> AbstractAsyncContextManager[None]:
        return self.open()


async def test_a_lifespan_may_be_an_object_that_cannot_be_hashed() -> None:
    app, settings = App(), Settings()
    app.lifespan(settings)
    async with app.open(SITE):
        assert settings.served == 1


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
