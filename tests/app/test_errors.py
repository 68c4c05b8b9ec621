"""The boundary: what becomes of what a handler, a layer or a page raises."""

from __future__ import annotations

import logging

import pytest
import trio

from tests.app.asking import ask, said, told
from trioweb.app.app import App
from trioweb.message.errors import (
    HTTPError,
    NotFound,
    PeerGone,
    SetupError,
    Unauthorized,
)
from trioweb.message.handler import Handler
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


SHAPES: list[tuple[str, Exception, int, int]] = [
    ("a refusal", NotFound("no such user"), 404, 0),
    ("a refusal with 5xx", HTTPError(503), 503, 0),
    ("a refusal in a group", group(NotFound()), 404, 0),
    ("a refusal in groups", group(group(NotFound())), 404, 0),
    ("two refusals", group(NotFound(), NotFound()), 500, 1),
    ("a refusal and a failure", group(NotFound(), KeyError("a")), 500, 1),
    ("the peer gone and a failure", group(PeerGone(), KeyError("a")), 500, 1),
    ("a failure", KeyError(SECRET), 500, 1),
    ("a failure in a group", group(KeyError(SECRET)), 500, 1),
    ("a failure of setup", SetupError(SECRET), 500, 1),
    ("recursion", RecursionError(), 500, 1),
    ("memory", MemoryError(), 500, 1),
    ("the loop's", trio.BrokenResourceError(), 500, 1),
    ("the end of an iteration", StopAsyncIteration(), 500, 1),
]


@pytest.mark.parametrize(
    ("error", "status", "records"),
    [row[1:] for row in SHAPES],
    ids=[row[0] for row in SHAPES],
)
async def test_whatever_is_raised_is_answered_and_a_failure_logged_once(
    error: Exception, status: int, records: int, caplog: pytest.LogCaptureFixture
) -> None:
    app = raising(error)
    app.use(passing)  # two boundaries, and still one record
    response = await ask(app, "GET", "/a")
    assert response.status == status
    assert SECRET not in said(response)
    assert [record.name for record in caplog.records] == ["trioweb.error"] * records
    for record in caplog.records:
        assert record.exc_info is not None
        assert record.exc_info[1] is error


async def passing(request: Request, handler: Handler) -> Response:
    return await handler(request)


async def test_a_refusal_in_a_child_task_is_the_answer() -> None:
    app = App()

    async def child() -> None:
        raise NotFound("not in the child")

    @app.get("/")
    async def parent(request: Request) -> None:
        async with trio.open_nursery() as children:
            children.start_soon(child)
            children.start_soon(trio.sleep_forever)

    response = await ask(app, "GET", "/")
    assert told(response) == {
        "title": "Not Found",
        "status": 404,
        "detail": "not in the child",
    }


@pytest.mark.parametrize(
    "error",
    [PeerGone(), group(PeerGone()), group(PeerGone(), group(PeerGone()))],
    ids=["alone", "in a group", "several"],
)
async def test_a_peer_that_is_gone_is_not_answered(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    app = raising(error)
    app.use(passing)
    with pytest.raises(PeerGone):
        await ask(app, "GET", "/")
    assert caplog.records == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
async def test_what_ends_the_process_passes(error: type[BaseException]) -> None:
    # Not through the test's own nursery, which would end the process.
    app = raising(error())
    with pytest.raises(error):
        await ask(app, "GET", "/")


async def test_cancellation_passes() -> None:
    app = App()

    @app.get("/")
    async def wait(request: Request) -> None:
        await trio.sleep_forever()

    with trio.move_on_after(0) as scope:
        await ask(app, "GET", "/")
    assert scope.cancelled_caught


async def test_a_missing_query_field_is_400_that_names_it() -> None:
    app = App()

    @app.get("/")
    async def read(request: Request) -> str:
        return request.query["page"]

    response = await ask(app, "GET", "/?pag=1")
    assert response.status == 400
    assert "page" in said(response)


async def test_the_log_line_is_one_line_whatever_the_path(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = raising(ValueError())
    await ask(app, "GET", "/%0A[CRITICAL]%1B[2J%E2%80%AE" + "x" * 2000 + "?password=1")
    (record,) = caplog.records
    message = record.getMessage()
    assert message.isprintable()
    assert len(message) < 700
    assert "password" not in message
    assert record.levelno == logging.ERROR


async def test_a_layer_that_raises_is_answered(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = raising(NotFound())

    @app.use
    async def deny(request: Request, handler: Handler) -> Response:
        if request.path == "/refused":
            raise Unauthorized
        raise KeyError

    assert (await ask(app, "GET", "/refused")).status == 401
    assert caplog.records == []
    assert (await ask(app, "GET", "/")).status == 500
    assert len(caplog.records) == 1


@pytest.mark.parametrize("answer", [None, "text", {}])
async def test_a_layer_that_returns_no_response_is_a_failure(
    answer: object, caplog: pytest.LogCaptureFixture
) -> None:
    app = raising(NotFound())

    @app.use
    async def forgetful(request: Request, handler: Handler) -> Response:
        await handler(request)
        return answer  # type: ignore[return-value]  # which is the mistake

    assert (await ask(app, "GET", "/")).status == 500
    found = type(answer).__name__
    assert f"fail returned {found}; return what handler() returned" in caplog.text


async def test_a_layer_may_return_a_response_of_its_own_class() -> None:
    class Own(Response):
        pass

    app = raising(NotFound())

    @app.use
    async def own(request: Request, handler: Handler) -> Response:
        return Own(201)

    assert (await ask(app, "GET", "/")).status == 201


async def test_what_is_no_answer_is_a_failure_that_names_the_handler(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = App()

    @app.get("/")
    async def count(request: Request) -> str:
        return 7  # type: ignore[return-value]  # which is the mistake

    assert (await ask(app, "GET", "/")).status == 500
    assert "count returned a value of type int" in caplog.text
