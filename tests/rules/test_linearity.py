"""What a peer may send is read in time linear in its length."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

import pytest

from trioweb.rules.cookies import parse_cookies
from trioweb.rules.dates import parse_date
from trioweb.rules.forms import parse_query
from trioweb.rules.headers import Headers, parse_list, parse_parameters
from trioweb.rules.negotiate import choose
from trioweb.rules.target import TargetError, parse_authority, parse_target

# Characters.  Four times what the wire lets through of anything but a form.
LENGTH = 256 * 1024

# Processor seconds.  Linear code needs less than a fifth of it on a slow machine, and
# quadratic code minutes, so that a busy machine decides nothing.
ALLOWED = 3.0


def _target(text: str) -> None:
    for end in ("", "%"):
        with contextlib.suppress(TargetError):
            parse_target("GET", (text + end).encode("ascii", "ignore"))


def _authority(text: str) -> None:
    with contextlib.suppress(TargetError):
        parse_authority(text)


PARSERS: list[tuple[str, Callable[[str], object], list[str]]] = [
    (
        "parse_list",
        parse_list,
        [",", '"', '"a', '\\"', '"\\', '",', "a", " ", ' "\\"', ", \t"],
    ),
    (
        "parse_parameters",
        lambda text: parse_parameters("a;" + text),
        [";", '"', '\\"', '"\\', 'a="', "a=1;", "; ", " ", 'a="\\";', "=", 'a="";'],
    ),
    ("choose", lambda text: choose(text, ["a/b"] * 8), [",", "a/b;", "a/b;c=1,", '"']),
    (
        "cookies",
        lambda text: parse_cookies([text]),
        [";", "=", "a=;", '"', "\\073", " "],
    ),
    (
        "query",
        lambda text: parse_query(text, limit=LENGTH),
        ["&", "%", "%4", "%ff", "+", "=", "a&", "é%ff"],
    ),
    ("target", _target, ["/", "/.", "/a/..", "%2e", "%", "?", "/%61", "%c3%a9"]),
    ("absolute target", lambda text: _target("http://" + text), ["a", "/", "a:", "["]),
    ("authority", _authority, ["a", "%4", ":", "[", "1:"]),
    ("date", lambda text: parse_date(text, 0), ["Sun, ", "0", " "]),
    ("header value", lambda text: Headers({"a": text}), ["a", " ", "\t ", " a"]),
]

CASES = [(parse, text) for _, parse, texts in PARSERS for text in texts]
IDS = [f"{name} {text!r}" for name, _, texts in PARSERS for text in texts]


@pytest.mark.parametrize(("parse", "text"), CASES, ids=IDS)
def test_hostile_repetition_takes_linear_time(
    parse: Callable[[str], object], text: str
) -> None:
    hostile = text * (LENGTH // len(text))
    start = time.process_time()
    parse(hostile)
    assert time.process_time() - start < ALLOWED
