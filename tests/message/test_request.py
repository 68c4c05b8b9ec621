"""Request: what a handler is given, and how it reads the body."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import trio

from tests.message.exchanges import Written, request
from trioweb.message.errors import (
    BadRequest,
    HTTPError,
    SetupError,
    TooLarge,
    UnsupportedMediaType,
)
from trioweb.message.exchange import ENDED
from trioweb.message.key import Key
from trioweb.message.request import Request
from trioweb.message.session import Session

NUMBER = Key[int]("number")
OTHER = Key[int]("number")


def test_a_request_says_what_is_asked() -> None:
    asked = request(b"/a%2Fb/%ED%95%9C?q=1&q=2", headers={"host": "a:80"})
    assert (asked.method, asked.path, asked.segments) == (
        "POST",
        "/a/b/한",
        ("a/b", "한"),
    )
    assert asked.query.get_all("q") == ["1", "2"]
    assert asked.query is asked.query
    assert (asked.authority, asked.url) == (
        "a:80",
        "http://a:80/a%2Fb/%ED%95%9C?q=1&q=2",
    )
    assert (asked.route, asked.params, asked.version) == (None, {}, "1.1")
    assert repr(asked) == "<Request POST /a/b/한>"


def test_the_targets_own_host_wins() -> None:
    asked = request(b"http://b/x", headers={"host": "a"}, scheme="https")
    assert (asked.authority, asked.url) == ("b", "https://b/x")
    assert request().authority == ""


def test_l6_more_than_1000_parameters_are_a_bad_request() -> None:
    with pytest.raises(BadRequest, match="1000"):
        assert request(b"/?" + b"a&" * 1001).query


@pytest.mark.parametrize("apart", ["; ", "\0"], ids=["one field", "many fields"])
def test_l6_more_than_100_cookies_are_refused(apart: str) -> None:
    def asked(count: int) -> Request:
        lines = apart.join(["a=1"] * count).split("\0")
        found = request()
        for line in lines:
            found.headers.add("cookie", line)
        return found

    assert len(asked(100).cookies.pairs) == 100
    with pytest.raises(HTTPError, match="more than 100 cookies") as refused:
        assert asked(101).cookies
    assert refused.value.status == 431


def test_cookies_are_read_once() -> None:
    asked = request(headers={"cookie": "a=1; b=2"})
    assert asked.cookies["b"] == "2"
    assert asked.cookies is asked.cookies


def test_the_body_is_described_by_its_fields() -> None:
    asked = request(
        headers={"content-type": "Text/HTML; charset=x", "content-length": "7"}
    )
    assert (asked.content_type, asked.content_length) == ("text/html", 7)
    assert (request().content_type, request().content_length) == ("", None)


async def test_the_body_is_the_same_however_often_it_is_asked_for() -> None:
    asked = request(b"/", b"hello ", b"world")
    assert await asked.body() == b"hello world"
    assert await asked.body() == b"hello world"
    assert [piece async for piece in asked.stream()] == [b"hello world"]
    assert await asked.text() == "hello world"


async def test_l3_a_body_that_was_read_is_held_to_the_limit_of_who_asks_next() -> None:
    asked = request(b"/", b"abcd")
    assert await asked.body(4) == b"abcd"
    with pytest.raises(TooLarge, match="3 bytes"):
        await asked.body(3)
    with pytest.raises(TooLarge, match="3 bytes"):
        asked.stream(limit=3)


async def test_l3_a_body_that_was_too_large_stays_so() -> None:
    asked = request(b"/", b"ab", b"cd")
    for limit in (3, 100):
        with pytest.raises(TooLarge):
            await asked.body(limit)


async def test_a_body_is_streamed_once() -> None:
    asked = request(b"/", b"a", b"b")
    assert [piece async for piece in asked.stream()] == [b"a", b"b"]
    with pytest.raises(RuntimeError, match="has been streamed"):
        asked.stream()
    with pytest.raises(RuntimeError, match="has been streamed"):
        await asked.body()


async def test_l3_a_length_that_is_too_large_is_refused_unread() -> None:
    asked = request(b"/", b"abcd", headers={"content-length": "4"})
    for read in (asked.body, asked.text, asked.json):
        with pytest.raises(TooLarge, match="3 bytes"):
            await read(limit=3)
    assert await asked.body(4) == b"abcd"


async def test_l3_a_body_is_counted_as_it_comes() -> None:
    asked = request(b"/", b"abc", b"d", b"never read")
    asked.body_limit = 3
    with pytest.raises(TooLarge):
        await asked.body()
    assert isinstance(asked.exchange, Written)
    assert asked.exchange.pieces == [b"never read"]


TEXTS = [
    ("", "한".encode(), "한"),
    ("text/plain; charset=latin-1", b"\xe9", "é"),
    ('text/plain; charset="EUC-KR"', "한".encode("euc-kr"), "한"),
]


@pytest.mark.parametrize(("kind", "content", "text"), TEXTS)
async def test_text_has_the_charset_it_names(
    kind: str, content: bytes, text: str
) -> None:
    assert await request(b"/", content, headers={"content-type": kind}).text() == text


REFUSED: list[tuple[str, bytes, type[HTTPError]]] = [
    ("utf-8", b"\xff", BadRequest),
    ("undefined", b"a", UnsupportedMediaType),
    ("nonsense", b"a", UnsupportedMediaType),
    ("rot13", b"a", UnsupportedMediaType),
    ("zlib", b"a", UnsupportedMediaType),
    ("punycode", b"a", UnsupportedMediaType),
    ("idna", b"a", UnsupportedMediaType),
    ("unicode_escape", rb"\d", UnsupportedMediaType),
    ("raw-unicode-escape", b"a", UnsupportedMediaType),
]


@pytest.mark.parametrize(("charset", "content", "refusal"), REFUSED)
async def test_what_is_no_text_is_refused(
    charset: str, content: bytes, refusal: type[HTTPError]
) -> None:
    headers = {"content-type": f"text/plain; charset={charset}"}
    with pytest.raises(refusal):
        await request(b"/", content, headers=headers).text()


async def test_no_charset_takes_more_than_linear_time() -> None:
    asked = request(
        b"/", b"a" * (1 << 20), headers={"content-type": "a/b; charset=punycode"}
    )
    start = time.process_time()
    with pytest.raises(UnsupportedMediaType):
        await asked.text()
    assert time.process_time() - start < 1


def test_a_key_holds_a_value_of_its_own() -> None:
    asked = request()
    assert NUMBER not in asked
    with pytest.raises(KeyError, match=r"request holds nothing under Key\('number'\)"):
        asked[NUMBER]
    asked[NUMBER] = 1
    asked[OTHER] = 2
    assert (asked[NUMBER], asked[OTHER]) == (1, 2)
    assert NUMBER in asked
    with pytest.raises(KeyError):
        asked[Key[int]("third")]


def test_a_session_needs_its_layer() -> None:
    asked = request()
    with pytest.raises(SetupError, match=r"app\.use"):
        assert asked.session
    asked.session = session = Session()
    assert asked.session is session


async def test_interim_responses_are_informational() -> None:
    asked = request()
    await asked.inform(103, {"link": "</a>"})
    assert isinstance(asked.exchange, Written)
    assert [status for status, _ in asked.exchange.informed] == [103]
    for status in (100, 101, 200):
        with pytest.raises(ValueError, match="102 to 199"):
            await asked.inform(status)


async def test_a_request_passes_on_what_its_exchange_knows() -> None:
    asked = request()
    assert not asked.draining.is_set()
    with asked.finish(1) as finishing:
        assert finishing.shield


async def test_an_exchange_that_has_ended_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="exchange has ended"):
        await ENDED.receive()
    with pytest.raises(RuntimeError, match="has ended"):
        await ENDED.whole(1)
    with pytest.raises(RuntimeError, match="exchange has ended"):
        await ENDED.inform(103, request().headers)
    calls: list[Callable[[], object]] = [
        lambda: ENDED.limit(1),
        lambda: ENDED.on_disconnect("finish"),
        lambda: ENDED.finish(1),
        lambda: ENDED.draining,
        lambda: ENDED.trailers,
    ]
    for call in calls:
        with pytest.raises(RuntimeError, match="exchange has ended"):
            call()


async def test_a_stream_that_is_kept_ends_with_its_request() -> None:
    asked = request(b"/", b"a", b"b")
    pieces = asked.stream()
    assert await anext(pieces) == b"a"
    asked.exchange = ENDED
    with pytest.raises(RuntimeError, match="exchange has ended"):
        await anext(pieces)
    await trio.lowlevel.checkpoint()
