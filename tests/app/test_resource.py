"""Resources: a class that answers the methods of one URL."""

from __future__ import annotations

import pytest

from tests.app.asking import ask, said
from trioweb.app.app import App
from trioweb.message.errors import SetupError
from trioweb.message.request import Request


async def plain(request: Request) -> str:
    return f"{request.method} {request.path}"


class Users:
    made = 0

    def __init__(self) -> None:
        type(self).made += 1

    async def get(self, request: Request) -> str:
        return f"got by {self.made}"

    async def delete(self, request: Request) -> None:
        return None


async def test_a_resource_is_made_once_when_the_application_is_frozen() -> None:
    app = App()
    made = Users.made
    assert app.resource("/users", name="users", timeout=3)(Users) is Users
    assert Users.made == made
    assert said(await ask(app, "GET", "/users")) == f"got by {made + 1}"
    assert (await ask(app, "DELETE", "/users")).status == 204
    allow = (await ask(app, "POST", "/users")).headers["allow"]
    assert allow == "DELETE, GET, HEAD, OPTIONS"
    assert Users.made == made + 1
    assert app.url("users") == "/users"
    assert [route.handler for route in app.routes] == [
        "tests.app.test_resource.Users.delete",
        "tests.app.test_resource.Users.get",
    ]


class Needy:
    def __init__(self, pool: object) -> None: ...

    async def get(self, request: Request) -> None: ...


class Silent:
    pass


class Sync:
    def get(self, request: Request) -> None: ...


RESOURCES: list[tuple[str, object, str]] = [
    ("arguments", Needy, "Needy must be made without arguments"),
    ("no methods", Silent, "Silent answers nothing"),
    ("no class", plain, "is no class"),
    ("synchronous", Sync, "make it async def"),
]


@pytest.mark.parametrize(
    ("kind", "message"), [row[1:] for row in RESOURCES], ids=[r[0] for r in RESOURCES]
)
def test_a_resource_that_cannot_be_is_refused(kind: type, message: str) -> None:
    app = App()
    with pytest.raises(SetupError) as raised:
        _register_and_freeze(app, kind)
    assert message in str(raised.value)
    assert str(raised.value).startswith(f"{__file__}:")


async def test_a_resource_may_be_made_by_a_constructor_written_in_c() -> None:
    app = App()

    @app.resource("/x")
    class Counts(dict[str, int]):
        async def get(  # type: ignore[override]  # a method of HTTP now
            self, request: Request
        ) -> int:
            return {"counts": len(self)}  # type: ignore[return-value]

    assert (await ask(app, "GET", "/x")).status == 200


def _register_and_freeze(app: App, kind: type) -> None:
    app.resource("/x")(kind)
    app.freeze()
