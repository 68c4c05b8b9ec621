"""Header fields (RFC 9110 section 5)."""

from __future__ import annotations

from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trioweb.rules.headers import Headers, parse_list, parse_parameters

COOKIES = [("Set-Cookie", "a=1"), ("Vary", "Accept"), ("set-cookie", "b=2")]


def test_names_are_found_in_any_case() -> None:
    headers = Headers({"Content-Type": "text/plain"})
    assert headers["content-type"] == headers["CONTENT-TYPE"] == "text/plain"
    assert "Content-type" in headers
    assert headers.get("CONTENT-type") == "text/plain"
    assert headers.get_all("content-Type") == ["text/plain"]


def test_an_absent_field_is_not_found() -> None:
    headers = Headers()
    with pytest.raises(KeyError, match="Host"):
        headers["Host"]
    with pytest.raises(KeyError, match="Host"):
        del headers["Host"]
    assert headers.get("host") is None
    assert headers.get("host", "a") == "a"
    assert headers.get("host", 1) == 1
    assert headers.get_all("host") == []
    assert "host" not in headers
    assert cast("str", 1) not in headers
    assert "한글" not in headers


def test_the_kelvin_sign_is_not_a_k() -> None:
    assert "\N{KELVIN SIGN}ey" not in Headers({"key": "1"})


def test_lines_of_one_field_are_joined() -> None:
    headers = Headers([("Vary", "Accept"), ("Age", "1"), ("vary", "Cookie")])
    assert headers["vary"] == "Accept, Cookie"
    assert headers.get_all("vary") == ["Accept", "Cookie"]
    assert list(headers) == ["vary", "age"]
    assert len(headers) == 2
    assert list(headers.items()) == [("vary", "Accept, Cookie"), ("age", "1")]


def test_set_cookie_is_never_joined() -> None:
    headers = Headers(COOKIES)
    assert headers["set-cookie"] == headers.get("set-cookie") == "a=1"
    assert headers.get_all("set-cookie") == ["a=1", "b=2"]
    assert list(headers.pairs()) == [(name.lower(), value) for name, value in COOKIES]


def test_setting_replaces_all_lines_where_the_first_stood() -> None:
    headers = Headers([("a", "1"), ("b", "2"), ("A", "3"), ("c", "4")])
    headers["a"] = "5"
    assert headers.raw == [(b"a", b"5"), (b"b", b"2"), (b"c", b"4")]
    headers["d"] = "6"
    assert headers.raw[-1] == (b"d", b"6")
    assert headers.setdefault("d", "7") == "6"


def test_adding_keeps_what_is_there() -> None:
    headers = Headers({"a": "1"})
    headers.add("A", "2")
    assert headers.raw == [(b"a", b"1"), (b"a", b"2")]


def test_deleting_takes_every_line_and_keeps_the_list() -> None:
    raw = [(b"a", b"1"), (b"b", b"2"), (b"a", b"3")]
    headers = Headers.from_wire(raw)
    del headers["A"]
    assert headers.raw is raw
    assert raw == [(b"b", b"2")]


def test_the_list_of_the_wire_is_adopted_as_it_is() -> None:
    raw = [(b"host", b"\xe4.example")]
    headers = Headers.from_wire(raw)
    assert headers.raw is raw
    assert headers["host"] == "ä.example"


def test_update_takes_repeated_lines_over() -> None:
    headers = Headers([("set-cookie", "old=1"), ("age", "1")])
    headers.update(Headers(COOKIES))
    assert headers.get_all("set-cookie") == ["a=1", "b=2"]
    assert headers["age"] == "1"
    headers.update({"Age": "2"}, vary="Cookie")
    headers.update([("etag", '"x"')])
    assert (headers["age"], headers["vary"], headers["etag"]) == ("2", "Cookie", '"x"')
    headers.update(headers)
    assert headers.get_all("set-cookie") == ["a=1", "b=2"]


def test_copies_are_independent() -> None:
    headers = Headers(COOKIES)
    for copy in (headers.copy(), Headers(headers)):
        assert copy == headers
        copy["vary"] = "*"
        assert copy != headers
        assert headers["vary"] == "Accept"


def test_equal_headers_have_equal_lines_whatever_the_order_of_names() -> None:
    assert Headers([("a", "1"), ("b", "2")]) == Headers([("B", "2"), ("A", "1")])
    assert Headers([("a", "1"), ("a", "2")]) != Headers([("a", "2"), ("a", "1")])
    assert Headers({"A": "1"}) == {"a": "1"}
    assert Headers() != 1
    with pytest.raises(TypeError, match="unhashable"):
        hash(Headers())


def test_the_repr_shows_every_line() -> None:
    assert repr(Headers(COOKIES[:2])) == (
        "Headers([('set-cookie', 'a=1'), ('vary', 'Accept')])"
    )


REFUSED = [
    ("5.1 empty name", "", "x", "is empty"),
    ("5.1 space in name", "a b", "x", "header field 'a b': ' ' cannot"),
    ("5.1 colon in name", "a:", "x", "':' cannot stand in a name; use only"),
    ("5.1 line end in name", "a\n", "x", r"'\\n' cannot stand in a name"),
    ("5.1 non-ASCII name", "한", "x", "'한' cannot stand in a name"),
    ("5.5 LF", "a", "x\ny", r"header field 'a': '\\n' cannot stand in a value; remove"),
    ("5.5 CR", "a", "x\r", r"'\\r' cannot"),
    ("5.5 CRLF at the end", "a", "x\r\n", r"'\\r' cannot"),
    ("5.5 NUL", "a", "\0", r"'\\x00' cannot"),
    ("5.5 DEL", "a", "\x7f", r"'\\x7f' cannot"),
    ("5.5 VT", "a", "\x0b", r"'\\x0b' cannot"),
    ("5.5 outside latin-1", "a", "x한", "'한' is outside latin-1; percent-encode it"),
    ("5.5 half a surrogate pair", "a", "\ud800", "outside latin-1"),
]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [case[1:] for case in REFUSED],
    ids=[case[0] for case in REFUSED],
)
def test_a_bad_field_is_refused_when_it_is_set(
    name: str, value: str, message: str
) -> None:
    headers = Headers()
    with pytest.raises(ValueError, match=message):
        headers[name] = value
    with pytest.raises(ValueError, match=message):
        headers.add(name, value)
    with pytest.raises(ValueError, match=message):
        Headers({name: value})
    assert headers.raw == []


def test_what_is_no_text_is_a_type_error() -> None:
    headers = Headers()
    with pytest.raises(TypeError, match="value of header field 'age' must be str, not"):
        headers["age"] = cast("str", 1)
    with pytest.raises(TypeError, match="name of a header field must be str, not byte"):
        headers[cast("str", b"age")] = "1"


ACCEPTED = [
    ("5.5 white space around it", " \tx \t", b"x"),
    ("5.5 tab inside", "a\tb", b"a\tb"),
    ("5.5 obs-text", "ä", b"\xe4"),
    ("5.5 empty", "", b""),
]


@pytest.mark.parametrize(
    ("value", "line"), [case[1:] for case in ACCEPTED], ids=[c[0] for c in ACCEPTED]
)
def test_a_good_value_is_kept(value: str, line: bytes) -> None:
    assert Headers({"A": value}).raw == [(b"a", line)]


@given(st.text(), st.text())
def test_any_field_is_refused_or_stays_one_line(name: str, value: str) -> None:
    headers = Headers()
    try:
        headers[name] = value
    except ValueError:
        assert headers.raw == []
        return
    line = b"%s: %s\r\n" % headers.raw[0]
    assert line.splitlines() == [line[:-2]]
    assert b"\0" not in line
    assert headers[name.upper()] == value.strip(" \t")


LISTS = [
    ("5.6.1 one", "a", ["a"]),
    ("5.6.1 white space", " a\t,  b ", ["a", "b"]),
    ("5.6.1 empty elements", ",, a,,b,", ["a", "b"]),
    ("5.6.1 nothing", " , ", []),
    ("5.6.1 empty", "", []),
    ("5.6.4 quoted comma", '"a, b", c', ['"a, b"', "c"]),
    ("5.6.4 quote within an element", 'W/"a,b";x, c', ['W/"a,b";x', "c"]),
    ("5.6.4 escaped quote", r'"a\", b", c', [r'"a\", b"', "c"]),
    ("5.6.4 escaped backslash", r'"a\\", b', [r'"a\\"', "b"]),
    ("5.6.4 endless quote", 'a, "b, c', ["a", '"b, c']),
    ("5.6.4 backslash at the end", '"a\\', ['"a\\']),
    ("5.6.4 line end in a quote", '"a\n,b",c', ['"a\n,b"', "c"]),
]


@pytest.mark.parametrize(
    ("value", "elements"), [case[1:] for case in LISTS], ids=[case[0] for case in LISTS]
)
def test_lists(value: str, elements: list[str]) -> None:
    assert parse_list(value) == elements


@given(st.lists(st.from_regex(r'\A([a-z=]{1,4}|"[a-z, ;]*")\Z')))
def test_a_printed_list_is_read_back(elements: list[str]) -> None:
    assert parse_list(" , ".join(elements)) == elements


PARAMETERS = [
    ("8.3.1 none", "Text/HTML", "text/html", {}),
    ("8.3.1 one", "text/html; Charset=UTF-8", "text/html", {"charset": "UTF-8"}),
    ("5.6.6 white space", "a \t;\tb=1 ;c=2 ", "a", {"b": "1", "c": "2"}),
    ("5.6.6 empty ones", "a;;b=1;", "a", {"b": "1"}),
    ("5.6.6 space around =", "a; b =1; c= 2; d=3", "a", {"d": "3"}),
    ("5.6.6 no value", "a; b; c=; d=1", "a", {"d": "1"}),
    ("5.6.6 no name", "a; =1; d=1", "a", {"d": "1"}),
    ("5.6.6 first wins", "a; b=1; B=2", "a", {"b": "1"}),
    ("5.6.6 bad value", "a; b=x/y; d=1", "a", {"d": "1"}),
    ("5.6.4 quoted", 'a; b="x; y=z"; d=1', "a", {"b": "x; y=z", "d": "1"}),
    ("5.6.4 escapes", r'a; b="\"\\\z"', "a", {"b": '"\\z'}),
    ("5.6.4 text after the quote", 'a; b="x"y; d=1', "a", {"d": "1"}),
    ("5.6.4 endless quote", 'a; d=1; b="x; c=2', "a", {"d": "1"}),
    ("5.6.4 empty quotes", 'a; b=""', "a", {"b": ""}),
    ("8.3.1 nothing", "", "", {}),
]


@pytest.mark.parametrize(
    ("value", "first", "parameters"),
    [case[1:] for case in PARAMETERS],
    ids=[case[0] for case in PARAMETERS],
)
def test_parameters(value: str, first: str, parameters: dict[str, str]) -> None:
    assert parse_parameters(value) == (first, parameters)


@given(st.dictionaries(st.from_regex(r"\A[a-z]{1,4}\Z"), st.text()))
def test_printed_parameters_are_read_back(parameters: dict[str, str]) -> None:
    printed = "a"
    for name, value in parameters.items():
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        printed += f'; {name}="{escaped}"'
    assert parse_parameters(printed) == ("a", parameters)


@given(st.text(alphabet='a",;\\= /'))
def test_no_value_is_too_odd_to_be_read(value: str) -> None:
    assert all(parse_list(value))
    assert parse_parameters(value)[0] == value.partition(";")[0].strip(" ")
