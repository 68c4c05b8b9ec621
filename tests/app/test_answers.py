"""Answers: the Response of each value, and what the helpers refuse."""

from __future__ import annotations

import collections
import dataclasses
import json as standard
import types

import msgspec
import pytest

from tests.app.asking import content
from trioweb.app.answers import html, json, redirect, respond, stream, text
from trioweb.message.response import Response, Send


class Point(msgspec.Struct):
    x: int


@dataclasses.dataclass
class Plain:
    x: int


class Marked(str):
    __slots__ = ()


class Attributes:
    """As attrs makes them, without the dependency."""

    __attrs_attrs__ = ()


PLAIN = "text/plain; charset=utf-8"
OCTETS = "application/octet-stream"
JSON = "application/json"
VALUES: list[tuple[object, int, str | None, bytes]] = [
    ("한글 ☃", 200, PLAIN, "한글 ☃".encode()),
    ("<b>", 200, PLAIN, b"<b>"),
    (Marked("<b>"), 200, PLAIN, b"<b>"),
    ("", 200, PLAIN, b""),
    (b"\x00\xff", 200, OCTETS, b"\x00\xff"),
    (bytearray(b"ab"), 200, OCTETS, b"ab"),
    (memoryview(b"ab"), 200, OCTETS, b"ab"),
    (None, 204, None, b""),
    ({"a": 1}, 200, JSON, b'{"a":1}'),
    ([1, "b", None], 200, JSON, b'[1,"b",null]'),
    ((1, 2), 200, JSON, b"[1,2]"),
    (range(3), 200, JSON, b"[0,1,2]"),
    (collections.deque([1]), 200, JSON, b"[1]"),
    (types.MappingProxyType({"a": [range(2)]}), 200, JSON, b'{"a":[[0,1]]}'),
    (collections.Counter("a"), 200, JSON, b'{"a":1}'),
    (Point(1), 200, JSON, b'{"x":1}'),
    ([Point(1)], 200, JSON, b'[{"x":1}]'),
    (Plain(1), 200, JSON, b'{"x":1}'),
    (Attributes(), 200, JSON, b"{}"),
]


@pytest.mark.parametrize(
    ("value", "status", "kind", "body"),
    VALUES,
    ids=[f"{type(row[0]).__name__} {row[3][:12]!r}" for row in VALUES],
)
def test_a_value_is_the_content_of_a_response(
    value: object, status: int, kind: str | None, body: bytes
) -> None:
    response = respond(value, "shop.show")
    assert (response.status, content(response)) == (status, body)
    assert response.headers.get("content-type") == kind
    sniffable = kind in {PLAIN, OCTETS}
    assert ("x-content-type-options" in response.headers) == sniffable


def test_a_response_is_itself() -> None:
    class Special(Response):
        pass

    for response in (Response(201), Special(202)):
        assert respond(response, "shop.show") is response


async def nothing() -> None:
    return None


def test_what_is_no_answer_names_the_handler_and_the_remedy() -> None:
    forgotten = nothing()
    for value in (1, 2.5, True, {1, 2}, object(), Plain, forgotten, iter(())):
        with pytest.raises(TypeError, match=r"shop\.show returned a .* return a Resp"):
            respond(value, "shop.show")
    with pytest.raises(TypeError, match="not awaited"):
        respond(forgotten, "shop.show")
    forgotten.close()


def test_what_has_no_form_in_json_names_the_handler() -> None:
    with pytest.raises(
        TypeError, match=r"shop\.show returned what has no form in JSON"
    ):
        respond({"a": object()}, "shop.show")


def test_helpers_take_status_and_headers() -> None:
    nosniff = "x-content-type-options"
    fields = [("set-cookie", "a=1"), ("set-cookie", "b=2"), (nosniff, "")]
    for response in (
        text("a", 201, headers=fields),
        html("a", 201, headers=fields),
        json("a", 201, headers=fields),
        redirect("/a", 307, headers=fields),
    ):
        assert response.status in {201, 307}
        assert response.headers.get_all("set-cookie") == ["a=1", "b=2"]
        assert response.headers.get_all(nosniff) == [""]
    own = text("a", headers={"Content-Type": "text/css"})
    assert own.headers.get_all("content-type") == ["text/css"]


def test_helpers_share_no_header_fields() -> None:
    text("a").headers["x-own"] = "1"
    assert "x-own" not in text("a").headers


def test_html_is_sent_as_it_is() -> None:
    response = html("<b>값</b>")
    assert content(response) == "<b>값</b>".encode()
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["x-content-type-options"] == "nosniff"


def test_json_takes_any_value() -> None:
    for value in (1, "a", None, True, {"a": {1}}):
        assert standard.loads(content(json(value))) is not ...
    with pytest.raises(TypeError):
        json(object())


def test_stream_is_a_response_with_the_writer() -> None:
    async def write(send: Send) -> None:
        await send(b"a")

    response = stream(write, "text/csv", 203, headers={"x-a": "1"})
    assert (response.status, response.body) == (203, write)
    assert response.headers["content-type"] == "text/csv"
    assert stream(write).headers["content-type"] == OCTETS
    with pytest.raises(ValueError, match="content-type"):
        stream(write, "text/csv\r\nx: y")
    with pytest.raises(TypeError, match="takes an async function that is handed send"):
        stream(iter([b"a"]))  # type: ignore[arg-type]  # which is the mistake


LOCATIONS = [
    ("/", "/"),
    ("/a/b?c=d&e=%20#f", "/a/b?c=d&e=%20#f"),
    ("?page=2", "?page=2"),
    ("/한글 길", "/%ED%95%9C%EA%B8%80%20%EA%B8%B8"),
    ("/a\\b", "/a%5Cb"),
    ('/a"<>', "/a%22%3C%3E"),
    ("/a//b", "/a//b"),
    ("/?to=//evil", "/?to=//evil"),
]


@pytest.mark.parametrize(("location", "written"), LOCATIONS)
def test_a_redirect_stays_on_this_site(location: str, written: str) -> None:
    response = redirect(location)
    assert (response.status, response.headers["location"]) == (303, written)


HOSTILE = [
    "",
    "//evil",
    "///evil",
    "/\\evil",
    "\\\\evil",
    "\\/evil",
    "/\t/evil",
    "\t//evil",
    "/\n/evil",
    "/a\r\nset-cookie: x=1",
    "/a\x00",
    "/a\x7f",
    " //evil",
    " /a",
    "evil",
    "evil.com/",
    ".evil",
    "http://evil",
    "HTTPS://evil",
    "https:evil",
    "https:/evil",
    "http:\\\\evil",
    "javascript:alert(1)",
    "data:text/html,x",
    "@evil",
    "#x",
    "\uff0f\uff0fevil",
    "\u2028//evil",
    "/\ud800",
]


@pytest.mark.parametrize("location", HOSTILE, ids=repr)
def test_a_redirect_to_elsewhere_is_refused(location: str) -> None:
    with pytest.raises(ValueError, match=r"location|surrogates"):
        redirect(location)


EXTERNAL = [
    ("https://example.org", "https://example.org"),
    ("HTTP://example.org:8080/a b?c#d", "HTTP://example.org:8080/a%20b?c#d"),
    ("https://[::1]/", "https://[::1]/"),
]


@pytest.mark.parametrize(("location", "written"), EXTERNAL)
def test_an_external_redirect_is_an_absolute_url(location: str, written: str) -> None:
    assert redirect(location, external=True).headers["location"] == written


@pytest.mark.parametrize(
    "location",
    [
        "/a",
        "//evil",
        "https:evil",
        "https:/evil",
        "https://",
        "https:///evil",
        "https://good@evil/",
        "https://good\\@evil/",
        "https://a b/",
        "https://evil\n/",
        "ftp://evil",
        "javascript://a",
        "https://한글.kr/",
        "https://a:99999/",
    ],
)
def test_an_external_redirect_to_anything_else_is_refused(location: str) -> None:
    with pytest.raises(ValueError, match="location"):
        redirect(location, external=True)


@pytest.mark.parametrize("status", [200, 300, 304, 306, 400])
def test_a_redirect_has_a_status_that_redirects(status: int) -> None:
    with pytest.raises(ValueError, match="statuses"):
        redirect("/", status)


def test_headers_cannot_split_the_head() -> None:
    for make in (text, html, json):
        with pytest.raises(ValueError, match="location"):
            make("", headers={"location": "/a\r\nset-cookie: x=1"})
