"""Hosts: who is answered, and who has come to the wrong place."""

from __future__ import annotations

import pytest

from tests.app.asking import ask, said
from trioweb.app.app import App
from trioweb.app.hosts import allowed_hosts
from trioweb.message.errors import SetupError
from trioweb.message.request import Request

HOSTS = ("example.com", "*.Example.org", "localhost:8080", "[::1]")

# id, the Host field, and whether it is answered
ASKED: list[tuple[str, str, bool]] = [
    ("exact", "example.com", True),
    ("any case", "EXAMPLE.com", True),
    ("any port", "example.com:8443", True),
    ("below what is not a star", "www.example.com", False),
    ("the end of another name", "evilexample.com", False),
    ("the beginning of another name", "example.com.evil.test", False),
    ("below a star", "a.example.org", True),
    ("far below a star", "a.b.example.org:80", True),
    ("a star is not the name itself", "example.org", False),
    ("the end of a name is no name below it", "evilexample.org", False),
    ("that port", "localhost:8080", True),
    ("another port", "localhost:8081", False),
    ("no port", "localhost", False),
    ("IPv6", "[::1]:9", True),
    ("another address", "127.0.0.1", False),
    ("none", "", False),
    ("no host", "a/b", False),
]


def guarded() -> App:
    app = App()
    app.use(allowed_hosts(*HOSTS))

    @app.get("/")
    async def index(request: Request) -> str:
        return "here"

    return app


@pytest.mark.parametrize(
    ("host", "answered"), [case[1:] for case in ASKED], ids=[case[0] for case in ASKED]
)
async def test_h1_only_the_hosts_allowed_are_answered(
    host: str, answered: bool
) -> None:
    response = await ask(guarded(), "GET", "/", headers={"host": host})
    assert response.status == (200 if answered else 421)
    assert (said(response) == "here") == answered
    # Nor does it tell which hosts there are.
    assert "example" not in said(response)


async def test_h1_what_is_nowhere_tells_other_hosts_nothing() -> None:
    app = guarded()
    for target, method in (("/nothing", "GET"), ("/", "DELETE"), ("*", "OPTIONS")):
        response = await ask(app, method, target, headers={"host": "evil.test"})
        assert response.status == 421


async def test_h2_the_host_of_the_target_counts() -> None:
    app = guarded()
    fields = {"host": "example.com"}
    assert (await ask(app, "GET", "http://evil.test/", headers=fields)).status == 421
    assert (await ask(app, "GET", "http://example.com/")).status == 200


@pytest.mark.parametrize(
    ("hosts", "message"),
    [
        ((), "allows nobody in"),
        (("https://example.com",), "is none"),
        (("",), "is none"),
        (("*",), "stands only at the start"),
        (("*.",), "is none"),
        (("*.*.com",), "stands only at the start"),
        (("a.com", "b.com/"), "'b.com/' is none"),
    ],
)
def test_what_is_no_host_is_refused_at_the_line_of_the_user(
    hosts: tuple[str, ...], message: str
) -> None:
    with pytest.raises(SetupError, match=message) as refused:
        allowed_hosts(*hosts)
    assert "test_hosts.py:" in str(refused.value)
