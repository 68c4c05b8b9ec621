"""Routing: which of the handlers, and the answers that need none."""

from __future__ import annotations

import pytest

from tests.app.asking import Lone, ask, request, said
from trioweb.app.app import App
from trioweb.app.router import Slashes
from trioweb.message.errors import SetupError
from trioweb.message.handler import Handler, Layer
from trioweb.message.request import Request
from trioweb.message.response import Response


def table(*patterns: str, slashes: Slashes = "redirect") -> App:
    """An application that answers GET with the pattern and its parameters."""
    app = App(slashes=slashes)
    for pattern in patterns:

        async def show(request: Request, **params: object) -> list[object]:
            assert request.params == params
            return [request.route, *map(str, params.values())]

        app.get(pattern)(show)
    return app


PATTERNS = (
    "/",
    "/a/{x}/c",
    "/a/b/d",
    "/{x}/b/c",
    "/n/{x}",
    "/n/{x:float}",
    "/n/{x:int}",
    "/n/{x:uuid}",
    "/n/{x:path}",
    "/n/seven",
    "/한글/{이름}",
    "/end/",
)


async def test_nothing_found_is_404() -> None:
    for target in ("/nowhere", "/a/b", "/a/b/c/d", "/n/x%2Fy/z"):
        assert (await ask(table(*PATTERNS), "GET", target)).status == 404


def crud() -> App:
    app = App()

    @app.get("/items")
    @app.post("/items")
    @app.delete("/items")
    async def items(request: Request) -> str:
        return request.method

    return app


ALLOW = "DELETE, GET, HEAD, OPTIONS, POST"


@pytest.mark.parametrize("method", ["PATCH", "PUT", "TRACE", "BREW", "get"])
async def test_a_method_the_url_lacks_is_405_with_the_complete_allow(
    method: str,
) -> None:
    response = await ask(crud(), method, "/items")
    assert response.status == 405
    assert response.headers["allow"] == ALLOW


async def test_options_is_answered_with_the_methods_of_the_url() -> None:
    response = await ask(crud(), "OPTIONS", "/items")
    assert (response.status, response.body) == (204, b"")
    assert response.headers["allow"] == ALLOW


async def test_options_of_the_whole_server_lists_every_method() -> None:
    response = await ask(crud(), "OPTIONS", "*")
    assert (response.status, response.headers["allow"]) == (204, ALLOW)


async def test_head_is_answered_by_the_handler_of_get() -> None:
    assert said(await ask(crud(), "HEAD", "/items")) == "HEAD"
    response = await ask(App(), "HEAD", "/items")
    assert response.status == 404


async def test_own_head_and_options_win() -> None:
    app = crud()

    @app.head("/items")
    @app.options("/items")
    async def own(request: Request) -> str:
        return "own"

    assert said(await ask(app, "HEAD", "/items")) == "own"
    assert said(await ask(app, "OPTIONS", "/items")) == "own"
    allow = (await ask(app, "PUT", "/items")).headers["allow"]
    assert allow == ALLOW


async def test_a_more_specific_url_does_not_hide_a_method_it_lacks() -> None:
    app = App()

    @app.get("/users/me")
    async def me(request: Request) -> str:
        return "me"

    @app.delete("/users/{name}")
    async def remove(request: Request, name: str) -> str:
        return f"removed {name}"

    assert said(await ask(app, "DELETE", "/users/me")) == "removed me"
    refused = await ask(app, "PUT", "/users/me")
    assert refused.headers["allow"] == "DELETE, GET, HEAD, OPTIONS"
    assert (await ask(app, "GET", "/users/7")).status == 405


async def test_methods_of_one_url_may_name_its_parameter_differently() -> None:
    app = App()

    @app.get("/users/{key:int}")
    async def show(request: Request, key: int) -> str:
        return f"show {key}"

    @app.put("/users/{number:int}")
    async def replace(request: Request, number: int) -> str:
        return f"replace {number}"

    assert said(await ask(app, "GET", "/users/1")) == "show 1"
    assert said(await ask(app, "PUT", "/users/2")) == "replace 2"


SLASHES: list[tuple[str, Slashes, str, int, str | None]] = [
    ("added", "redirect", "/users", 308, "/users/"),
    ("removed", "redirect", "/item/", 308, "/item"),
    ("the query is kept", "redirect", "/item/?a=1&b=%2F", 308, "/item?a=1&b=%2F"),
    ("parameters", "redirect", "/by/%ED%95%9C%2F/", 308, "/by/%ED%95%9C%2F"),
    ("path parameter", "redirect", "/files", 308, "/files/"),
    ("nowhere", "redirect", "/nowhere/", 404, None),
    ("only slashes", "redirect", "//", 308, "/"),
    ("two slashes", "redirect", "/item//", 404, None),
    ("no host", "redirect", "//evil/", 404, None),
    ("no host, encoded", "redirect", "/%2Fevil/x/", 308, "/%2Fevil/x"),
    ("strict", "strict", "/users", 404, None),
    ("strict", "strict", "/item/", 404, None),
    ("ignore", "ignore", "/users", 200, None),
    ("ignore", "ignore", "/item/", 200, None),
    ("ignore", "ignore", "/nowhere/", 404, None),
]


@pytest.mark.parametrize(
    ("slashes", "target", "status", "location"),
    [row[1:] for row in SLASHES],
    ids=[f"{row[1]}: {row[0]}" for row in SLASHES],
)
async def test_a_slash_at_the_end_follows_the_policy(
    slashes: Slashes, target: str, status: int, location: str | None
) -> None:
    app = table(
        "/",
        "/users/",
        "/item",
        "/by/{name}",
        "/files/{rest:path}",
        "/{a}/x",
        "//{host}",
        slashes=slashes,
    )
    response = await ask(app, "GET", target)
    assert (response.status, response.headers.get("location")) == (status, location)


async def test_a_redirect_keeps_method_and_mount() -> None:
    outer = App()
    outer.mount("/inner", table("/item"))
    response = await ask(outer, "POST", "/inner/item/")
    assert (response.status, response.headers["location"]) == (308, "/inner/item")


async def test_ignored_slashes_still_refuse_a_method_with_allow() -> None:
    response = await ask(table("/item", slashes="ignore"), "PUT", "/item/")
    assert (response.status, response.headers["allow"]) == (405, "GET, HEAD, OPTIONS")


def test_a_policy_that_does_not_exist_is_refused() -> None:
    with pytest.raises(SetupError, match="slashes"):
        App(slashes="sometimes")  # type: ignore[arg-type]  # which is the mistake


async def test_automatic_answers_stand_inside_the_layers_of_their_group() -> None:
    app = crud()
    passed: list[str] = []

    def noting(name: str) -> Layer:
        async def layer(request: Request, handler: Handler) -> Response:
            passed.append(name)
            return await handler(request)

        return layer

    app.use(noting("app"))
    group = app.group("/g", layers=[noting("group")])
    group.get("/x", layers=[noting("route")])(handler)
    app.put("/g/x")(handler)
    group.get("/y")(handler)
    expected = [
        ("GET", "/g/x", 204, ["app", "group", "route"]),
        ("DELETE", "/g/x", 405, ["app"]),  # what its methods have in common
        ("OPTIONS", "/g/y", 204, ["app", "group"]),
        ("POST", "/g/y", 405, ["app", "group"]),
        ("GET", "/g/y/", 308, ["app"]),
        ("GET", "/nowhere", 404, ["app"]),
        ("OPTIONS", "*", 204, ["app"]),
    ]
    for method, target, status, layers in expected:
        passed.clear()
        assert (await ask(app, method, target)).status == status
        assert passed == layers


async def handler(request: Request) -> None:
    return None


async def test_a_route_tells_the_exchange_its_limits() -> None:
    app = App()
    app.get("/default")(handler)
    app.get("/own", timeout=5, body_limit=10, on_disconnect="finish")(handler)
    app.get("/any", timeout=None)(handler)
    seen = []
    for target in ("/default", "/own", "/any", "/nowhere"):
        asked = request("GET", target)
        await app.freeze()(asked)
        assert isinstance(asked.exchange, Lone)
        seen.append((asked.exchange.seconds, asked.exchange.choices, asked.body_limit))
    assert seen == [
        ([60.0], [], 1 << 20),
        ([5], ["finish"], 10),
        ([None], [], 1 << 20),
        ([60.0], [], 1 << 20),
    ]


async def test_where_slashes_do_not_count_both_urls_are_one() -> None:
    app = App(slashes="ignore")

    @app.get("/tea/")
    async def show(request: Request) -> str:
        return "shown"

    @app.post("/tea")
    async def make(request: Request) -> str:
        return "made"

    for target in ("/tea", "/tea/"):
        assert said(await ask(app, "GET", target)) == "shown"
        assert said(await ask(app, "POST", target)) == "made"
        refused = await ask(app, "PUT", target)
        assert refused.status == 405
        assert refused.headers["allow"] == "GET, HEAD, OPTIONS, POST"
    assert (await ask(app, "OPTIONS", "*")).status == 204
