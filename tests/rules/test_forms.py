"""Queries and forms (application/x-www-form-urlencoded, URL standard section 5)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trioweb.rules.forms import PAIR_LIMIT, FormError, encode_query, parse_query
from trioweb.rules.multimap import MultiMap

READ = [
    ("empty", "", []),
    ("one", "a=1", [("a", "1")]),
    ("repeated", "a=1&b=2&a=3", [("a", "1"), ("b", "2"), ("a", "3")]),
    ("empty pairs", "&&a=1&&", [("a", "1")]),
    ("no value", "a&b=", [("a", ""), ("b", "")]),
    ("no name", "=1&=", [("", "1"), ("", "")]),
    ("first = only", "a=b=c", [("a", "b=c")]),
    ("plus", "a+b=+c", [("a b", " c")]),
    ("encoded plus", "a=1%2B1", [("a", "1+1")]),
    ("encoded delimiters", "a%3D%26=%26%3d", [("a=&", "&=")]),
    ("semicolon is no delimiter", "a=1;b=2", [("a", "1;b=2")]),
    ("UTF-8", "이름=한&q=%ED%95%9C", [("이름", "한"), ("q", "한")]),
    ("decoded once", "a=%2541", [("a", "%41")]),
    ("bad escapes stay", "a=%zz%4&b=%", [("a", "%zz%4"), ("b", "%")]),
    ("no UTF-8", "a=%ff%41", [("a", "\ufffdA")]),
    ("overlong", "a=%c0%ae", [("a", "\ufffd\ufffd")]),
    ("cut off", "a=%e2%82", [("a", "\ufffd")]),
    ("surrogate", "a=%ed%a0%80", [("a", "\ufffd\ufffd\ufffd")]),
    ("byte order mark stays", "a=%ef%bb%bf1", [("a", "\ufeff1")]),
    ("NUL", "a=%00", [("a", "\0")]),
]


@pytest.mark.parametrize(
    ("text", "pairs"),
    [case[1:] for case in READ],
    ids=[f"5.1 {case[0]}" for case in READ],
)
def test_reading(text: str, pairs: list[tuple[str, str]]) -> None:
    assert parse_query(text) == MultiMap(pairs)


def test_more_pairs_than_the_limit_are_refused() -> None:
    assert len(parse_query("&".join(["a=1"] * PAIR_LIMIT)).pairs) == PAIR_LIMIT
    with pytest.raises(FormError, match="more than 1000 parameters"):
        parse_query("&".join(["a=1"] * (PAIR_LIMIT + 1)))
    assert len(parse_query("&a&&b&", limit=2)) == 2
    with pytest.raises(FormError, match="more than 2 parameters"):
        parse_query("a&b&c", limit=2)


def test_printing() -> None:
    assert encode_query({"q": "a b&c=d", "page": 2}) == "q=a+b%26c%3Dd&page=2"
    assert encode_query([("a", "1"), ("a", "한")]) == "a=1&a=%ED%95%9C"
    assert encode_query(MultiMap([("a", "1"), ("a", "2")])) == "a=1&a=2"
    assert encode_query({}) == ""


TEXT = st.text(st.characters(blacklist_categories=["Cs"]))


@given(st.lists(st.tuples(TEXT, TEXT)))
def test_a_printed_query_is_read_back(pairs: list[tuple[str, str]]) -> None:
    text = encode_query(pairs)
    assert text.isascii()
    assert parse_query(text).pairs == tuple(pairs)


@given(st.text() | st.text("a%4f=&+"))
def test_no_query_is_too_odd_to_be_read(text: str) -> None:
    count = len([part for part in text.split("&") if part])
    assert len(parse_query(text).pairs) == count
