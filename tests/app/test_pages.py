"""Error pages: which one answers, and what becomes of one that fails."""

from __future__ import annotations

import pytest

from tests.app.asking import ask, said, told
from trioweb.app.answers import html, text
from trioweb.app.app import App
from trioweb.app.errors import Page
from trioweb.message.errors import (
    Conflict,
    HTTPError,
    MethodNotAllowed,
    NotFound,
    PeerGone,
    SetupError,
    TooLarge,
)
from trioweb.message.request import Request
from trioweb.message.response import Response

SECRET = "the-password"


def raising(error: BaseException) -> App:
    app = App()

    @app.get("/{rest:path}")
    async def fail(request: Request, rest: str) -> str:
        raise error

    return app


def group(*errors: Exception) -> ExceptionGroup[Exception]:
    return ExceptionGroup("a nursery", errors)


def paged() -> App:
    app = App()
    app.get("/{name}")(chosen)

    @app.error(NotFound)
    async def missing(request: Request, error: NotFound) -> str:
        return f"missing: {error.detail}"

    @app.error(413)
    async def large(request: Request, error: HTTPError) -> Response:
        return html("<p>large", 413)

    @app.error(HTTPError)
    async def refused(request: Request, error: HTTPError) -> dict[str, object]:
        return {"refused": error.status}

    @app.error(LookupError)
    async def lookup(request: Request, error: LookupError) -> None:
        return None

    return app


RAISED: dict[str, Exception] = {
    "missing": NotFound("x"),
    "status": HTTPError(404, "y"),
    "large": TooLarge(),
    "other": HTTPError(418),
    "allow": MethodNotAllowed(["GET"]),
    "key": KeyError(),
    "grouped": group(KeyError()),
    "value": ValueError("v"),
}


async def chosen(request: Request, name: str) -> str:
    raise RAISED[name]


PAGES = [
    ("by class", "missing", 404, "missing: x", 0),
    ("a status is not its class", "status", 404, '{"refused":404}', 0),
    ("by status", "large", 413, "<p>large", 0),
    ("any refusal", "other", 418, '{"refused":418}', 0),
    ("by a class above", "key", 500, "", 0),
    ("the leaf of a group", "grouped", 500, "", 0),
    ("none", "value", 500, '{"title":"Internal Server Error","status":500}', 1),
]


@pytest.mark.parametrize(
    ("name", "status", "body", "records"),
    [row[1:] for row in PAGES],
    ids=[row[0] for row in PAGES],
)
async def test_the_page_that_says_most_answers(
    name: str,
    status: int,
    body: str,
    records: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    response = await ask(paged(), "GET", f"/{name}")
    assert (response.status, said(response)) == (status, body)
    assert len(caplog.records) == records


async def test_the_pages_answer_what_no_route_does() -> None:
    assert said(await ask(paged(), "GET", "/no/where")) == "missing: "


async def test_a_page_keeps_the_fields_its_status_requires() -> None:
    for response in (
        await ask(paged(), "GET", "/allow"),
        await ask(paged(), "PUT", "/allow"),
    ):
        assert response.status == 405
        assert "GET" in response.headers["allow"]


@pytest.mark.parametrize("fault", [500, Exception])
async def test_a_page_for_the_unexpected_is_used_and_the_failure_logged(
    fault: int | type[Exception], caplog: pytest.LogCaptureFixture
) -> None:
    app = App()
    app.get("/{name}")(chosen)

    @app.error(fault)
    async def sorry(request: Request, error: Exception) -> str:
        return f"sorry: {type(error).__name__}"

    response = await ask(app, "GET", "/value")
    assert (response.status, said(response)) == (500, "sorry: ValueError")
    assert len(caplog.records) == 1
    assert (await ask(app, "GET", "/missing")).status == 404


@pytest.mark.parametrize(("name", "records"), [("missing", 1), ("value", 2)])
async def test_a_page_that_fails_is_a_plain_500(
    name: str, records: int, caplog: pytest.LogCaptureFixture
) -> None:
    app = App()
    app.get("/{name}")(chosen)

    @app.error(404)
    @app.error(500)
    async def broken(request: Request, error: Exception) -> str:
        raise RuntimeError(SECRET) from error

    response = await ask(app, "GET", f"/{name}")
    assert response.status == 500
    assert SECRET not in said(response)
    assert len(caplog.records) == records


async def test_a_page_may_turn_an_exception_into_a_refusal(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = raising(KeyError("kim"))

    @app.error(KeyError)
    async def translated(request: Request, error: KeyError) -> str:
        raise NotFound(f"there is no {error.args[0]}") from error

    assert told(await ask(app, "GET", "/")) == {
        "title": "Not Found",
        "status": 404,
        "detail": "there is no kim",
    }
    assert caplog.records == []


async def test_the_refusal_of_a_page_has_a_page_too() -> None:
    app = raising(KeyError())

    @app.error(KeyError)
    async def translated(request: Request, error: KeyError) -> str:
        raise NotFound

    @app.error(404)
    async def missing(request: Request, error: NotFound) -> str:
        return "missing"

    response = await ask(app, "GET", "/")
    assert (response.status, said(response)) == (404, "missing")


async def test_pages_that_refuse_refusals_do_not_go_round() -> None:
    app = raising(NotFound())

    @app.error(404)
    async def conflict(request: Request, error: NotFound) -> str:
        raise group(Conflict("from the page"))

    @app.error(409)
    async def missing(request: Request, error: Conflict) -> str:
        raise NotFound

    response = await ask(app, "GET", "/")
    assert response.status == 409
    assert "from the page" in said(response)


async def test_a_page_may_return_the_same_response_again() -> None:
    app = App()
    app.get("/a")(few)
    app.post("/b")(few)
    sorry = text("no", 405)

    @app.error(405)
    async def same(request: Request, error: MethodNotAllowed) -> Response:
        return sorry

    assert (await ask(app, "PUT", "/a")).headers["allow"] == "GET, HEAD, OPTIONS"
    assert (await ask(app, "PUT", "/b")).headers["allow"] == "OPTIONS, POST"


@pytest.mark.parametrize("error", [PeerGone(), group(PeerGone())])
async def test_a_page_whose_peer_leaves_is_not_answered(error: Exception) -> None:
    app = raising(NotFound())

    @app.error(404)
    async def leave(request: Request, fault: Exception) -> str:
        raise error

    with pytest.raises(PeerGone):
        await ask(app, "GET", "/")


async def page(request: Request, error: Exception) -> str:
    return ""


async def few(request: Request) -> str:
    return ""


async def other(request: Request, error: Exception) -> str:
    return ""


REFUSED: list[tuple[str, object, object, str]] = [
    ("no class", "404", page, "a class of exceptions"),
    ("no error", 200, page, "from 400 to 599"),
    ("not caught", KeyboardInterrupt, page, "a class of exceptions"),
    ("not async", 404, lambda request, error: "", "make it async def"),
    ("too few", 404, few, "must take (request, error)"),
    ("twice", 409, page, "has a page already, tests.app.test_pages.other"),
]


@pytest.mark.parametrize(
    ("fault", "answer", "message"),
    [row[1:] for row in REFUSED],
    ids=[row[0] for row in REFUSED],
)
def test_a_page_that_cannot_be_is_refused(
    fault: int, answer: Page, message: str
) -> None:
    app = App()
    app.error(409)(other)
    with pytest.raises(SetupError) as raised:
        app.error(fault)(answer)
    assert message in str(raised.value)
    assert "test_pages.py:" in str(raised.value)
