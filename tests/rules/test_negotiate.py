"""Content negotiation by Accept (RFC 9110 section 12.5.1)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trioweb.rules.negotiate import ACCEPT_LIMIT, choose

HTML, JSON, PLAIN = "text/html", "application/json", "text/plain"
OFFERED = [JSON, HTML, PLAIN]
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

LEVELS = ["a/b;c=1", "a/b;d=1"]

CASES = [
    ("12.5.1 no field", None, OFFERED, JSON),
    ("12.5.1 empty field", "", OFFERED, JSON),
    ("12.5.1 nothing valid", "html, */html, a/b/c", OFFERED, JSON),
    ("12.5.1 exact", HTML, OFFERED, HTML),
    ("12.5.1 any case", "Text/HTML", OFFERED, HTML),
    ("12.5.1 everything", "*/*", OFFERED, JSON),
    ("12.5.1 any subtype", "text/*", OFFERED, HTML),
    ("12.5.1 a browser", BROWSER, OFFERED, HTML),
    ("12.5.1 nothing acceptable", "image/png", OFFERED, None),
    ("12.5.1 nothing offered", "*/*", [], None),
    ("12.5.1 no field and nothing offered", None, [], None),
    ("12.5.1 order of offer, not of field", "text/plain, text/html", OFFERED, HTML),
    ("12.5.1 the specific range decides", "text/*, text/html;q=0.1", OFFERED, PLAIN),
    ("12.5.1 whatever comes first", "text/html;q=0.1, text/*", OFFERED, PLAIN),
    ("12.5.1 everything but", "*/*, application/json;q=0", OFFERED, HTML),
    ("12.5.1 twice the same", "text/html;q=0, text/html", OFFERED, None),
    ("12.5.1 parameter of the range", "text/html;level=1", OFFERED, None),
    ("12.5.1 parameter of both", "a/b;C=X", ["a/b", "a/b; c=x"], "a/b; c=x"),
    ("12.5.1 parameter of the offer", "a/b", ["a/b; c=x"], "a/b; c=x"),
    ("12.5.1 parameters are specific", "a/b;q=0.1;c=1, a/b", LEVELS, LEVELS[1]),
    ("12.4.2 weights", "text/html;q=0.5, text/plain;q=0.501", OFFERED, PLAIN),
    ("12.4.2 weight 1 is the default", "text/html;q=0.999, text/plain", OFFERED, PLAIN),
    ("12.4.2 upper case Q", "text/html; Q=0.5, text/plain", OFFERED, PLAIN),
    ("12.4.2 zero is never", "text/html;q=0.000", OFFERED, None),
    ("12.4.2 bad weight is skipped", "text/html;q=2, text/plain;q=0.1", OFFERED, PLAIN),
    ("12.4.2 four digits", "text/html;q=0.1234, text/plain;q=0.1", OFFERED, PLAIN),
    ("12.4.2 above one", "text/html;q=1.001, text/plain;q=0.1", OFFERED, PLAIN),
    ("12.4.2 signed", "text/html;q=+1, text/plain;q=0.1", OFFERED, PLAIN),
    ("12.4.2 nan", "text/html;q=nan, text/plain;q=0.1", OFFERED, PLAIN),
    ("12.4.2 short forms", "text/html;q=0., text/plain;q=1.", OFFERED, PLAIN),
    ("5.6.1 empty elements", ",,text/html,", OFFERED, HTML),
    ("5.6.4 quoted comma", 'a/b;c="x, text/html", text/plain', OFFERED, PLAIN),
    ("8.3.1 an offer that is no type", "*/*", ["html", HTML], HTML),
]  # fmt: skip


@pytest.mark.parametrize(
    ("accept", "offered", "chosen"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_choosing(accept: str | None, offered: list[str], chosen: str | None) -> None:
    assert choose(accept, offered) == chosen


def test_only_the_first_elements_count() -> None:
    filler = ["a/b"] * (ACCEPT_LIMIT - 1)
    assert choose(", ".join([*filler, HTML]), OFFERED) == HTML
    assert choose(", ".join([*filler, "a/b", HTML]), OFFERED) is None


@given(st.text() | st.text(alphabet='*/ab;q=01.,"'))
def test_any_field_gives_something_offered_or_nothing(accept: str) -> None:
    assert choose(accept, OFFERED) in {*OFFERED, None}
