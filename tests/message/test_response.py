"""Response: what a handler returns."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest

from trioweb.message.response import File, Response, Send
from trioweb.rules.headers import Headers


class Source(io.RawIOBase):
    """An open file with nothing at hand."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return offset

    def read(self, size: int = -1, /) -> bytes | None:
        return None


def test_headers_are_adopted_or_made() -> None:
    headers = Headers({"a": "b"})
    assert Response(200, headers).headers is headers
    assert Response(200, [("a", "b"), ("a", "c")]).headers.get_all("a") == ["b", "c"]
    assert repr(Response(404)) == "<Response 404>"


@pytest.mark.parametrize("status", [100, 101, 199, 600, 0, -1])
def test_only_final_statuses_are_responses(status: int) -> None:
    with pytest.raises(ValueError, match="from 200 to 599"):
        Response(status)


async def write(send: Send) -> None:
    await send(b"x")


@pytest.mark.parametrize("status", [204, 304])
def test_some_statuses_have_no_content(status: int) -> None:
    for body in (b"x", write, File(Source(), 0, 0)):
        with pytest.raises(ValueError, match="has no content"):
            Response(status, body=body)
    assert Response(status).body == b""


def test_r2_there_is_no_reason_to_set() -> None:
    with pytest.raises(TypeError):
        Response(200, reason="OK\r\nX: y")  # type: ignore[call-arg]  # the mistake


@pytest.mark.parametrize("value", ["a\r\nb: c", "a\nb", "a\rb", "a\0b"])
def test_r1_a_field_cannot_bring_another(value: str) -> None:
    for headers in ({"x": value}, {"x" + value: "y"}):
        with pytest.raises(ValueError, match="header field"):
            Response(200, headers)


def test_cookies_are_fields_of_their_own() -> None:
    response = Response()
    response.set_cookie("a", "1", max_age=60, http_only=True, same_site="lax")
    response.set_cookie("b", "2", expires=datetime(2030, 1, 1, tzinfo=UTC), path=None)
    response.delete_cookie("c", domain="example.org")
    first, second, third = response.headers.get_all("set-cookie")
    assert first.startswith("a=1;")
    assert "Max-Age=60" in first
    assert second.startswith("b=2; Expires=Tue, 01 Jan 2030")
    assert third.startswith("c=;")
    assert "Max-Age=0" in third


def test_r3_a_cookie_cannot_bring_an_attribute() -> None:
    for hostile in ({"path": "/; Domain=evil"}, {"domain": "a\r\nX: y"}):
        with pytest.raises(ValueError, match="cookie"):
            Response().set_cookie("a", "1", **hostile)  # type: ignore[arg-type]  # str
    with pytest.raises(ValueError, match="cookie"):
        Response().set_cookie("a", "1; Secure")


def test_closing_a_response_closes_its_file_and_nothing_else() -> None:
    file = File(Source(), 0, 5)
    Response(200, body=file).close()
    assert file.source.closed
    Response(200, body=b"x").close()


def test_a_file_that_is_dropped_is_closed() -> None:
    source = Source()
    File(source, 0, 5)
    assert source.closed


def test_a_file_with_nothing_at_hand_reads_as_ended() -> None:
    assert File(Source(), 0, 5).read(0, 5) == b""


def test_a_cookie_that_is_set_again_is_set_once() -> None:
    response = Response()
    response.set_cookie("a", "1", domain="Example.com")
    response.set_cookie("a", "2")
    response.set_cookie("b", "3")
    response.set_cookie("a", "4", domain="example.com", max_age=5)
    response.set_cookie("a", "5", path="/deep")
    response.delete_cookie("b")
    named = [line.partition(";")[0] for line in response.headers.get_all("set-cookie")]
    assert named == ["a=2", "a=4", "a=5", "b="]


@pytest.mark.parametrize("body", ["text", 5, None, ["a"], dict])
def test_a_body_of_no_known_form_is_refused_with_the_remedy(body: object) -> None:
    with pytest.raises(TypeError, match=r"a body is bytes, .* trioweb\.text"):
        Response(200, {}, body)  # type: ignore[arg-type]  # on purpose


def test_bytes_of_another_kind_are_bytes() -> None:
    content: object = bytearray(b"ab")
    assert Response(200, {}, content).body == b"ab"  # type: ignore[arg-type]
