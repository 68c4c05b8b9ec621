"""Groups and routes: what may be registered, what is refused, what stands around."""

from __future__ import annotations

import inspect

import pytest

from tests.app.asking import ask, said
from trioweb.app.app import App
from trioweb.message.errors import SetupError
from trioweb.message.handler import Handler
from trioweb.message.request import Request
from trioweb.message.response import Response


async def plain(request: Request) -> str:
    return f"{request.method} {request.path}"


def synchronous(request: Request) -> str:
    return ""


def here() -> str:
    """The place of the line that calls this."""
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return f"{__file__}:{frame.f_back.f_lineno}"


@pytest.mark.parametrize(
    "method", ["get", "post", "put", "patch", "delete", "options", "head"]
)
async def test_every_verb_registers_and_returns_the_function(method: str) -> None:
    app = App()
    assert getattr(app, method)("/x")(plain) is plain
    assert said(await ask(app, method.upper(), "/x")) == f"{method.upper()} /x"
    assert (await ask(app, "BREW", "/x")).status == 405


async def test_route_takes_several_methods() -> None:
    app = App()
    app.route("/x", ["PUT", "GET", "PUT"])(plain)
    app.route("/y")(plain)
    app.route("/z", "POST")(plain)
    assert [route.methods for route in app.routes] == [
        ("GET", "PUT"),
        ("GET",),
        ("POST",),
    ]
    assert said(await ask(app, "PUT", "/x")) == "PUT /x"


OPTIONS: list[tuple[str, dict[str, object], str]] = [
    ("body_limit", {"body_limit": -1}, "number of bytes"),
    ("timeout", {"timeout": 0}, "number of seconds"),
    ("timeout", {"timeout": float("nan")}, "number of seconds"),
    ("on_disconnect", {"on_disconnect": "ignore"}, '"cancel" or "finish"'),
    ("layers", {"layers": [plain]}, "must take (request, handler)"),
    ("layers", {"layers": [synchronous]}, "make it async def"),
]


@pytest.mark.parametrize(
    ("options", "message"), [row[1:] for row in OPTIONS], ids=[r[0] for r in OPTIONS]
)
def test_an_option_that_makes_no_sense_is_refused(
    options: dict[str, int], message: str
) -> None:
    with pytest.raises(SetupError) as raised:
        App().get("/", **options)  # type: ignore[arg-type]  # which is the mistake
    assert message in str(raised.value)
    assert str(raised.value).startswith(f"{__file__}:")


def test_an_option_that_does_not_exist_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="patience"):
        App().get("/", patience=3)  # type: ignore[call-arg]  # which is the mistake


@pytest.mark.parametrize(
    ("path", "methods", "message"),
    [
        ("x", ["GET"], "does not start with /"),
        ("/{key:integer}", ["GET"], "unknown kind"),
        ("/", ["BREW"], "cannot answer 'BREW'"),
        ("/", ["get"], "cannot answer 'get'"),
        ("/", ["TRACE"], "cannot answer 'TRACE'"),
        ("/", [], "no methods"),
    ],
)
def test_a_route_that_cannot_be_is_refused(
    path: str, methods: list[str], message: str
) -> None:
    with pytest.raises(SetupError) as raised:
        App().route(path, methods)
    assert message in str(raised.value)
    assert str(raised.value).startswith(f"{__file__}:")


def test_a_conflict_names_both_places() -> None:
    app = App()
    first = here()
    app.get("/users/{key:int}")(several_keys)
    app.post("/users/{key:int}")(several_keys)
    with pytest.raises(SetupError) as raised:
        app.group("/users").get("/{other:int}")(several_keys)
    message = str(raised.value)
    line = int(first.rpartition(":")[2]) + 1
    assert f"{__file__}:{line};" in message
    assert message.startswith(f"{__file__}:{line + 3}: GET /users/{{other:int}} is")


async def several_keys(request: Request, **keys: object) -> str:
    return ""


def test_a_name_taken_twice_names_both_places() -> None:
    app = App()
    app.get("/a", name="x")(plain)
    with pytest.raises(SetupError) as raised:
        app.get("/b", name="x")(plain)
    assert str(raised.value).count(f"{__file__}:") == 2
    with pytest.raises(SetupError):
        app.post("/a", name="x")(plain)


async def test_groups_nest_prefixes_and_layers() -> None:
    app = App()
    passed: list[str] = []

    @app.use
    async def outermost(request: Request, handler: Handler) -> Response:
        passed.append("app 1")
        response = await handler(request)
        response.headers["x-passed"] = "yes"
        return response

    async def second(request: Request, handler: Handler) -> Response:
        passed.append("app 2")
        return await handler(request)

    async def around(request: Request, handler: Handler) -> Response:
        passed.append("group")
        return await handler(request)

    async def own(request: Request, handler: Handler) -> Response:
        passed.append("route")
        return await handler(request)

    api = app.group("/api", layers=[around])
    version = api.group("/v1/")
    version.get("/x", layers=[own])(plain)
    version.get("")(plain)
    app.group("").get("/y")(plain)
    app.use(second)  # also around what was registered before
    response = await ask(app, "GET", "/api/v1/x")
    assert response.headers["x-passed"] == "yes"
    assert passed == ["app 1", "app 2", "group", "route"]
    passed.clear()
    assert said(await ask(app, "GET", "/api/v1")) == "GET /api/v1"
    assert said(await ask(app, "GET", "/y")) == "GET /y"
    assert passed == ["app 1", "app 2", "group", "app 1", "app 2"]


async def test_a_layer_may_answer_itself() -> None:
    app = App()
    app.get("/")(plain)

    @app.use
    async def closed(request: Request, handler: Handler) -> Response:
        return Response(503)

    assert (await ask(app, "GET", "/")).status == 503
    assert (await ask(app, "GET", "/nowhere")).status == 503


def test_a_path_under_a_prefix_starts_with_a_slash() -> None:
    api = App().group("/api")
    for register in (api.get, api.resource):
        with pytest.raises(SetupError, match="must start with /; write '/users'") as e:
            register("users")
        assert str(e.value).startswith(f"{__file__}:")


def test_a_verb_without_its_path_says_what_to_write() -> None:
    app = App()
    for register in (app.get, app.group("/api").post, app.resource):
        with pytest.raises(SetupError, match=r"write @app\.get\('/path'\)"):
            register(plain)  # type: ignore[arg-type]  # which is the mistake


def test_a_prefix_starts_with_a_slash() -> None:
    for register in (App().group, lambda prefix: App().mount(prefix, plain)):
        with pytest.raises(SetupError, match="must start with /; write '/api'"):
            register("api")
