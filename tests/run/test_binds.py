"""Binds: every form there is, and what is none."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trioweb.run.binds import Bind, Inherited, Tcp, Unix, parse_bind

FORMS: list[tuple[str, Bind]] = [
    ("localhost:8080", Tcp("localhost", 8080)),
    ("LocalHost:8080", Tcp("localhost", 8080)),
    ("8080", Tcp("localhost", 8080)),
    ("0", Tcp("localhost", 0)),
    (":8080", Tcp("", 8080)),
    ("127.0.0.1:0", Tcp("127.0.0.1", 0)),
    ("0.0.0.0:65535", Tcp("0.0.0.0", 65535)),
    ("api.example:80", Tcp("api.example", 80)),
    ("[::1]:8080", Tcp("::1", 8080)),
    ("[fe80::1%eth0]:80", Tcp("fe80::1%eth0", 80)),
    ("unix:/run/app.sock", Unix(Path("/run/app.sock"))),
    ("unix:app:1.sock", Unix(Path("app:1.sock"))),
    ("fd:3", Inherited(3)),
]

REFUSED = [
    "",
    ":",
    "localhost",
    "localhost:",
    "localhost:http",
    "localhost:-1",
    "localhost:+1",
    "localhost:1_0",
    "localhost: 80",
    "localhost:8080\n",
    "localhost:٣",
    "::1:8080",
    "[::1]8080",
    "[localhost]:80",
    "*:80",
    "http://localhost:8080",
    "a b:80",
    "unix:",
    "unix:/a\0b",
    "fd:",
    "fd:x",
    "fd:-1",
]


@pytest.mark.parametrize(("text", "bind"), FORMS, ids=[text for text, _ in FORMS])
def test_a_bind_is_one_word(text: str, bind: Bind) -> None:
    assert parse_bind(text) == bind


@pytest.mark.parametrize("text", REFUSED, ids=repr)
def test_anything_else_is_refused_with_the_forms_there_are(text: str) -> None:
    with pytest.raises(ValueError, match="write localhost:8080, 8080"):
        parse_bind(text)


def test_a_port_too_high_is_refused_as_such() -> None:
    with pytest.raises(ValueError, match="ports go from 0 to 65535"):
        parse_bind("localhost:65536")


def test_localhost_is_loopback_of_both_families() -> None:
    assert Tcp("localhost", 1).addresses == ("127.0.0.1", "::1")
    assert Tcp("", 1).addresses == ("0.0.0.0", "::")
    assert Tcp("example.org", 1).addresses == ()


@given(st.text())
def test_no_text_raises_anything_but_a_value_error(text: str) -> None:
    try:
        parse_bind(text)
    except ValueError:
        return
