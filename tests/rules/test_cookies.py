"""Cookies (RFC 6265bis)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trioweb.rules.cookies import (
    COOKIE_LIMIT,
    COOKIE_SIZE_LIMIT,
    expire_cookie,
    format_cookie,
    parse_cookies,
)
from trioweb.rules.multimap import MultiMap

if TYPE_CHECKING:
    from trioweb.rules.cookies import SameSite

READ = [
    ("5.8.3 several", "a=1; b=2", [("a", "1"), ("b", "2")]),
    ("5.8.3 no space", "a=1;b=2", [("a", "1"), ("b", "2")]),
    ("5.6 white space", " \ta = 1 \t;\tb=2", [("a", "1"), ("b", "2")]),
    ("5.6 space inside", "a b=c d", [("a b", "c d")]),
    ("5.6 first = only", "a=b=c==", [("a", "b=c==")]),
    ("5.6 empty value", "a=; b=2", [("a", ""), ("b", "2")]),
    ("5.6 empty pairs", ";; a=1;; ;b=2;", [("a", "1"), ("b", "2")]),
    ("5.6 no =", "a; b=2", [("b", "2")]),
    ("5.6 no name", "=a; b=2", [("b", "2")]),
    ("5.6 prefix without a name", "=__Host-a=1; b=2", [("b", "2")]),
    ("5.6 odd names", "a=1; b[]=3; (c)=4", [("a", "1"), ("b[]", "3"), ("(c)", "4")]),
    ("5.6 control characters", "a=\x01; b\0=1; c=\x7f; d=\n; e=1", [("e", "1")]),
    ("5.6 tab inside", "a=b\tc", [("a", "b\tc")]),
    ("5.6 obs-text", "a=ä; b=2", [("a", "ä"), ("b", "2")]),
    ("5.6 quotes swallow nothing", 'a="b; c=d"', [("a", '"b'), ("c", 'd"')]),
    ("5.6 quotes stay", 'a="b"', [("a", '"b"')]),
    ("5.6 nothing is decoded", r"a=%41\073\"", [("a", r"%41\073\"")]),
    ("5.6 attributes are pairs", "$Version=1; a=1", [("$Version", "1"), ("a", "1")]),
    ("5.6 comma is no delimiter", "a=1, b=2", [("a", "1, b=2")]),
    ("5.6 empty", "", []),
]


@pytest.mark.parametrize(
    ("value", "pairs"), [case[1:] for case in READ], ids=[case[0] for case in READ]
)
def test_reading(value: str, pairs: list[tuple[str, str]]) -> None:
    assert parse_cookies([value]) == MultiMap(pairs)


def test_the_first_of_equal_names_wins() -> None:
    cookies = parse_cookies(["a=1; b=2", "a=3"])
    assert cookies["a"] == "1"
    assert cookies.get_all("a") == ["1", "3"]


def test_a_hundred_pairs_are_kept() -> None:
    line = "; ".join(f"c{number}=1" for number in range(COOKIE_LIMIT + 1))
    cookies = parse_cookies([line, "d=1"])
    assert len(cookies) == COOKIE_LIMIT
    assert list(cookies)[-1] == "c99"


@given(st.lists(st.text() | st.text(alphabet='a=;" \t\x01')))
def test_no_field_is_too_odd_to_be_read(values: list[str]) -> None:
    for name, value in parse_cookies(values).pairs:
        assert name == name.strip(" \t") != ""
        assert not set(name + value) & set(";\0\r\n\x7f")


NOW = 784111777.0
THEN = datetime(1994, 11, 6, 8, 50, 37, tzinfo=UTC)
SEOUL = THEN.astimezone(timezone(timedelta(hours=9)))
DATE = "Expires=Sun, 06 Nov 1994 08:50:37 GMT"
write = partial(format_cookie, "a", "b", path=None, now=NOW)

WRITTEN = [
    ("4.1.1 bare", write(), "a=b"),
    ("4.1.1 empty value", format_cookie("a", "", path=None, now=NOW), "a="),
    ("4.1.2.1 expires", write(expires=THEN), f"a=b; {DATE}; Max-Age=60"),
    ("4.1.2.1 another zone", write(expires=SEOUL), f"a=b; {DATE}; Max-Age=60"),
    (
        "4.1.2.1 in the past",
        write(expires=THEN, now=NOW + 61),
        f"a=b; {DATE}; Max-Age=0",
    ),
    ("4.1.2.2 max-age", write(max_age=60), "a=b; Max-Age=60"),
    ("4.1.2.2 both", write(expires=THEN, max_age=5), f"a=b; {DATE}; Max-Age=5"),
    ("4.1.2.2 zero", write(max_age=0), "a=b; Max-Age=0"),
    ("4.1.2.2 negative", write(max_age=-1), "a=b; Max-Age=-1"),
    ("5.5 above 400 days", write(max_age=10**9), "a=b; Max-Age=1000000000"),
    ("4.1.2.3 domain", write(domain="Example.org"), "a=b; Domain=Example.org"),
    ("4.1.2.3 leading dot", write(domain=".a-b.c_d"), "a=b; Domain=.a-b.c_d"),
    ("4.1.2.4 path", format_cookie("a", "b", now=NOW), "a=b; Path=/"),
    ("4.1.2.4 another path", write(path="/x%20y,z"), "a=b; Path=/x%20y,z"),
    ("4.1.2.5 secure", write(secure=True), "a=b; Secure"),
    ("4.1.2.6 http only", write(http_only=True), "a=b; HttpOnly"),
    ("4.1.2.7 strict", write(same_site="strict"), "a=b; SameSite=Strict"),
    ("4.1.2.7 any case", write(same_site=cast("SameSite", "LAX")), "a=b; SameSite=Lax"),
    (
        "4.1.2.7 none",
        write(same_site="none", secure=True),
        "a=b; Secure; SameSite=None",
    ),
    ("partitioned", write(partitioned=True, secure=True), "a=b; Secure; Partitioned"),
    (
        "4.1.3.1 __Secure-",
        format_cookie("__Secure-a", "b", domain="c", path="/d", secure=True, now=NOW),
        "__Secure-a=b; Domain=c; Path=/d; Secure",
    ),
    (
        "4.1.3.2 __Host-",
        format_cookie("__Host-a", "b", secure=True, now=NOW),
        "__Host-a=b; Path=/; Secure",
    ),
    (
        "all of them",
        format_cookie(
            "a",
            "b",
            expires=THEN,
            domain="c",
            secure=True,
            http_only=True,
            same_site="lax",
            partitioned=True,
            now=NOW,
        ),
        (
            f"a=b; {DATE}; Max-Age=60; Domain=c; Path=/; "
            "Secure; HttpOnly; SameSite=Lax; Partitioned"
        ),
    ),
    (
        "4.1.2.2 forgotten",
        expire_cookie("a", now=NOW),
        "a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/",
    ),
    (
        "4.1.3.2 forgotten __Host-",
        expire_cookie("__Host-a", same_site="none", partitioned=True, now=NOW),
        (
            "__Host-a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/; "
            "Secure; SameSite=None; Partitioned"
        ),
    ),
    (
        "4.1.3.1 forgotten __secure- elsewhere",
        expire_cookie("__secure-a", domain="c", path="/d", http_only=True, now=NOW),
        (
            "__secure-a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Domain=c; "
            "Path=/d; Secure; HttpOnly"
        ),
    ),
]


@pytest.mark.parametrize(
    ("line", "expected"), [c[1:] for c in WRITTEN], ids=[c[0] for c in WRITTEN]
)
def test_writing(line: str, expected: str) -> None:
    assert line == expected


def cookie(name: str = "a", value: str = "b", **attributes: object) -> partial[str]:
    """A Set-Cookie value still to be written, its types unchecked."""
    make = cast("partial[str]", format_cookie)
    return partial(make, name, value, **{"now": NOW, **attributes})


REFUSED = [
    ("4.1.1 empty name", cookie(""), "name '' is refused; use only letters"),
    ("4.1.1 = in name", cookie("a=b"), "name 'a=b' is refused"),
    ("4.1.1 non-ASCII name", cookie("한"), "name '한' is refused"),
    ("4.1.1 line end", cookie("a\n"), "is refused"),
    ("4.1.1 semicolon", cookie(value="b;c"), r"percent-encode it \(urllib.parse.quote"),
    ("4.1.1 comma", cookie(value="b,c"), "value 'b,c' is refused; percent-encode"),
    ("4.1.1 quote", cookie(value='"b"'), "is refused; percent-encode"),
    ("4.1.1 backslash", cookie(value="b\\"), "is refused; percent-encode"),
    ("4.1.1 space", cookie(value="b c"), "is refused; percent-encode"),
    ("4.1.1 tab", cookie(value="b\t"), "is refused; percent-encode"),
    ("4.1.1 CRLF", cookie(value="b\r\nX: y"), "is refused; percent-encode"),
    ("4.1.1 DEL", cookie(value="\x7f"), "is refused; percent-encode"),
    ("4.1.1 non-ASCII", cookie(value="é"), "is refused; percent-encode"),
    ("4.1.2.1 no zone", cookie(expires=datetime(2026, 1, 1)), "no time zone; make"),  # noqa: DTZ001  # the mistake itself
    ("4.1.2.3 injection", cookie(domain="a; Secure"), "domain 'a; Secure' is refused"),
    ("4.1.2.3 empty", cookie(domain=""), "domain '' is refused; write a host name"),
    ("4.1.2.3 port", cookie(domain="a:80"), "is refused"),
    ("4.1.2.3 non-ASCII", cookie(domain="한.kr"), "IDNA"),
    ("4.1.2.4 injection", cookie(path="/; Domain=evil"), "path '/; Domain=evil' is"),
    ("4.1.2.4 CRLF", cookie(path="/\r\nX: y"), "is refused; start with /"),
    ("4.1.2.4 relative", cookie(path="a"), "path 'a' is refused; start with /"),
    ("4.1.2.4 empty", cookie(path=""), "is refused; start with /"),
    ("4.1.2.4 non-ASCII", cookie(path="/é"), "percent-encode the rest"),
    ("4.1.2.7 unknown", cookie(same_site="Sometimes"), "'Sometimes' is unknown; use"),
    ("4.1.2.7 no text", cookie(same_site=True), "same_site True is unknown; use"),
    ("4.1.2.7 none", cookie(same_site="None"), "same_site='none' needs secure=True"),
    ("partitioned", cookie(partitioned=True), "partitioned needs secure=True"),
    ("4.1.3.1 not secure", cookie("__Secure-a"), "needs secure=True"),
    ("4.1.3.1 any case", cookie("__SECURE-a"), "needs secure=True"),
    ("4.1.3.2 not secure", cookie("__Host-a"), "needs secure=True"),
    ("4.1.3.2 any case", cookie("__hOST-a"), "needs secure=True"),
    ("4.1.3.2 path", cookie("__Host-a", path="/a", secure=True), "needs path='/'"),
    ("4.1.3.2 no path", cookie("__Host-a", path=None, secure=True), "needs path='/'"),
    ("4.1.3.2 domain", cookie("__host-a", domain="c", secure=True), "and no domain"),
    ("5.6 size", cookie(value="b" * COOKIE_SIZE_LIMIT), "bytes are more than 4096"),
]


@pytest.mark.parametrize(
    ("make", "message"), [case[1:] for case in REFUSED], ids=[c[0] for c in REFUSED]
)
def test_a_cookie_a_browser_would_drop_is_refused(
    make: partial[str], message: str
) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        make()
    assert str(caught.value).startswith("cookie ")


def test_forgetting_keeps_the_promises_of_the_name() -> None:
    with pytest.raises(ValueError, match="no domain"):
        expire_cookie("__Host-a", domain="c", now=NOW)
    with pytest.raises(ValueError, match="needs secure=True"):
        expire_cookie("a", same_site="none", now=NOW)


@pytest.mark.parametrize("max_age", [True, 1.5, "60"])
def test_max_age_is_an_int(max_age: object) -> None:
    with pytest.raises(TypeError, match="max_age must be int, in seconds"):
        cookie(max_age=max_age)()


@pytest.mark.parametrize("field", ["name", "value", "domain", "path"])
def test_text_is_text(field: str) -> None:
    attributes: dict[str, Any] = {field: 5}
    with pytest.raises(TypeError, match=f"the {field} must be str, not int; convert"):
        cookie(**attributes)()


def test_a_cookie_of_4096_bytes_is_written() -> None:
    value = "b" * (COOKIE_SIZE_LIMIT - len("a=; Path=/"))
    assert len(format_cookie("a", value, now=NOW)) == COOKIE_SIZE_LIMIT


HOSTILE = st.text() | st.text(alphabet='ab=;,"\\ /.\r\n\0')


@given(HOSTILE, HOSTILE, HOSTILE, HOSTILE)
def test_no_attribute_can_bring_another(
    name: str, value: str, domain: str, path: str
) -> None:
    fields = {"name": name, "value": value, "domain": domain, "path": path}
    harmless = {"name": "a", "value": "b", "domain": "c", "path": "/d"}
    for field, hostile in fields.items():
        chosen = {**harmless, field: hostile}
        try:
            line = cookie(**chosen)()
        except ValueError:
            continue
        pair, *attributes = line.split("; ")
        assert pair == f"{chosen['name']}={chosen['value']}"
        assert attributes == [f"Domain={chosen['domain']}", f"Path={chosen['path']}"]
        assert line.isprintable()
        assert parse_cookies([pair]).pairs == ((chosen["name"], chosen["value"]),)
