"""Mounting: a handler or an application below a prefix, and the bare handler."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from tests.app.asking import ask, request, said, told
from trioweb.app.app import App, as_app
from trioweb.message.errors import NotFound, SetupError
from trioweb.message.handler import Handler
from trioweb.message.request import Request


async def plain(request: Request) -> str:
    return f"{request.method} {request.path}"


async def keyed(request: Request, key: str) -> str:
    return key


def synchronous(request: Request) -> str:
    return ""


async def test_a_mounted_handler_sees_what_is_below_its_prefix() -> None:
    app = App()

    async def show(request: Request) -> list[object]:
        await request.body()
        return [request.method, request.path, list(request.segments), request.route]

    app.group("/a").mount("/b", show)
    for method, target, path, segments in (
        ("GET", "/a/b/c/d%2Fe", "/c/d/e", ["c", "d/e"]),
        ("BREW", "/a/b/", "/", [""]),
        ("GET", "/a/b", "/", [""]),
    ):
        asked = request(method, target, content=b"read below")
        answer = told(await app.freeze()(asked))
        assert answer == [method, path, segments, None]
        assert asked.path == asked.target.path
        assert asked.segments == asked.target.segments
        assert asked.route == "/a/b/*"
        # One request, one body, wherever it was read.
        assert await asked.body() == b"read below"
    assert (await ask(app, "GET", "/a/bc")).status == 404


async def test_a_mounted_application_answers_with_its_own() -> None:
    inner, outer = App(), App()
    inner.get("/x/{key}")(keyed)

    @inner.error(404)
    async def missing(request: Request, error: NotFound) -> str:
        return f"no {request.path}"

    outer.mount("/in", inner)
    outer.get("/in/x/own")(plain)
    asked = request("GET", "/in/x/1")
    assert said(await outer.freeze()(asked)) == "1"
    assert (asked.route, asked.params) == ("/in/x/{key}", {"key": "1"})
    assert said(await ask(outer, "GET", "/in/y")) == "no /y"
    assert (await ask(outer, "PUT", "/in/x/1")).headers["allow"] == "GET, HEAD, OPTIONS"
    assert said(await ask(outer, "GET", "/in/x/own")) == "GET /in/x/own"
    # The URL is the outer application's, and so is its 405.
    assert (await ask(outer, "PUT", "/in/x/own")).headers[
        "allow"
    ] == "GET, HEAD, OPTIONS"
    assert "no" not in said(await ask(outer, "GET", "/elsewhere"))


async def test_the_deepest_mount_answers() -> None:
    app = App()
    for prefix in ("/", "/a", "/a/b"):

        async def show(request: Request, prefix: str = prefix) -> str:
            return prefix

        app.mount(prefix, show)
    for target, prefix in (("/x", "/"), ("/a/x", "/a"), ("/a/b", "/a/b"), ("/a", "/a")):
        assert said(await ask(app, "GET", target)) == prefix


MOUNTS: list[tuple[str, str, object, str]] = [
    ("parameters", "/{key}", plain, "use a group"),
    ("synchronous", "/x", synchronous, "make it async def"),
    ("parameters needed", "/x", keyed, "must take (request)"),
    ("twice", "/twice", plain, "answered already"),
]


@pytest.mark.parametrize(
    ("prefix", "handler", "message"),
    [row[1:] for row in MOUNTS],
    ids=[r[0] for r in MOUNTS],
)
def test_a_mount_that_cannot_be_is_refused(
    prefix: str, handler: Handler, message: str
) -> None:
    app = App()
    app.mount("/twice", plain)
    with pytest.raises(SetupError) as raised:
        app.mount(prefix, handler)
    assert message in str(raised.value)


def test_an_application_mounted_in_itself_is_refused() -> None:
    one, other = App(), App()
    one.mount("/other", other)
    other.mount("/one", one)
    for _ in range(2):
        with pytest.raises(SetupError, match="mounted in itself"):
            one.freeze()


def test_what_cannot_be_served_is_refused_at_the_line_of_the_user() -> None:
    stack = ExitStack()
    stack.callback(as_app, lambda request: "")  # type: ignore[arg-type, return-value]
    with pytest.raises(SetupError) as raised:
        stack.close()
    assert str(raised.value).startswith(f"{__file__}:")


async def test_a_bare_handler_answers_everything() -> None:
    app = as_app(plain)
    for method, target in (("GET", "/"), ("BREW", "/a/b/"), ("OPTIONS", "/x")):
        assert said(await ask(app, method, target)).startswith(method)
    assert said(await ask(app, "OPTIONS", "*")) == "OPTIONS *"
    assert as_app(app) is app
    assert (await ask(as_app(app.freeze()), "GET", "/")).status == 200

    async def refusing(request: Request) -> None:
        raise NotFound

    assert (await ask(as_app(refusing), "GET", "/")).status == 404
