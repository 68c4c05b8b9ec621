"""Faults, and the problem documents that refusals become."""

from __future__ import annotations

import json

import pytest

from trioweb.message import errors
from trioweb.message.errors import (
    HTTPError,
    MethodNotAllowed,
    NotFound,
    PeerGone,
    ServiceUnavailable,
    TooManyRequests,
    Unauthorized,
    departed,
    sole,
)
from trioweb.message.problem import problem

NAMED = {
    "BadRequest": 400,
    "Unauthorized": 401,
    "Forbidden": 403,
    "NotFound": 404,
    "NotAcceptable": 406,
    "Conflict": 409,
    "TooLarge": 413,
    "UnsupportedMediaType": 415,
    "UnprocessableContent": 422,
    "TooManyRequests": 429,
    "ServiceUnavailable": 503,
}


@pytest.mark.parametrize(("name", "status"), NAMED.items())
def test_a_name_stands_for_its_status(name: str, status: int) -> None:
    error = getattr(errors, name)("why", headers={"x": "y"})
    assert isinstance(error, HTTPError)
    assert (error.status, error.detail, error.headers["x"]) == (status, "why", "y")
    assert str(error) == f"{status} why"
    assert str(getattr(errors, name)()) == str(status)


@pytest.mark.parametrize("status", [200, 302, 399, 600])
def test_only_refusals_are_raised(status: int) -> None:
    with pytest.raises(ValueError, match="from 400 to 599"):
        HTTPError(status)


def test_some_refusals_say_more() -> None:
    assert MethodNotAllowed(["POST", "GET"]).headers["allow"] == "GET, POST"
    assert Unauthorized().headers["www-authenticate"] == "Bearer"
    assert Unauthorized(challenge="Basic").headers["www-authenticate"] == "Basic"
    given = Unauthorized(headers={"www-authenticate": "Digest"})
    assert given.headers["www-authenticate"] == "Digest"
    for kind in (TooManyRequests, ServiceUnavailable):
        assert kind(retry_after=7).headers["retry-after"] == "7"
        assert "retry-after" not in kind().headers


def group(*leaves: Exception) -> ExceptionGroup[Exception]:
    return ExceptionGroup("", leaves)


def test_a_group_with_one_leaf_is_that_leaf() -> None:
    leaf, other = NotFound(), ValueError()
    assert sole(leaf) is leaf
    assert sole(group(group(leaf))) is leaf
    both = group(leaf, other)
    assert sole(both) is both


def test_a_peer_is_gone_when_nothing_else_is_wrong() -> None:
    assert departed(PeerGone())
    assert departed(group(PeerGone(), group(PeerGone())))
    assert not departed(group(PeerGone(), ValueError()))
    assert not departed(ValueError())


FORMS = [
    (None, "application/problem+json"),
    ("*/*", "application/problem+json"),
    ("application/json", "application/json"),
    ("text/html,*/*;q=0.1", "text/html"),
    ("text/plain", "text/plain"),
    ("image/png", "application/problem+json"),
]


@pytest.mark.parametrize(("accept", "kind"), FORMS)
@pytest.mark.parametrize("detail", ["", "a <b> & c"])
def test_9457_a_problem_takes_the_form_that_is_asked_for(
    accept: str | None, kind: str, detail: str
) -> None:
    response = problem(NotFound(detail, headers={"x": "y"}), accept)
    assert (response.status, response.headers["x"]) == (404, "y")
    assert response.headers["cache-control"] == "no-store"
    assert isinstance(response.body, bytes)
    given, text = response.headers["content-type"], response.body.decode()
    if kind == "text/html":
        assert given == "text/html; charset=utf-8"
        assert "<h1><b>404</b>Not Found</h1>" in text
        assert ("a &lt;b&gt; &amp; c" in text) == bool(detail)
    elif kind == "text/plain":
        assert given == "text/plain; charset=utf-8"
        assert text == f"404 Not Found\n{detail}\n" if detail else "404 Not Found\n"
    else:
        expected = {"title": "Not Found", "status": 404}
        assert given == "application/problem+json"
        assert json.loads(text) == expected | ({"detail": detail} if detail else {})


def test_a_status_without_a_name_is_an_error_all_the_same() -> None:
    assert b'"Error"' in bytes(problem(HTTPError(499)).body)  # type: ignore[arg-type]  # it is bytes


def test_a_problem_leaves_its_error_as_it_was() -> None:
    error = NotFound(headers={"cache-control": "max-age=60"})
    assert problem(error).headers["cache-control"] == "max-age=60"
    assert "content-type" not in error.headers


@pytest.mark.parametrize("accept", [None, "text/html", "text/plain"])
def test_a_detail_that_is_no_text_can_be_said(accept: str | None) -> None:
    body = problem(HTTPError(400, "half \ud800"), accept).body
    assert isinstance(body, bytes)
    assert b"half ?" in body
