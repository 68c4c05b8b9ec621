"""Vary (RFC 9110 12.5.5): each field is named once, beside those that were."""

from __future__ import annotations

import pytest

from trioweb.rules.headers import Headers
from trioweb.rules.vary import add_vary

CASES = [
    ("nothing yet", None, "Cookie"),
    ("another", "Accept", "Accept, Cookie"),
    ("the same", "Accept, cookie", "Accept, cookie"),
    ("everything", "*", "*"),
]


@pytest.mark.parametrize(
    ("before", "after"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_a_field_is_named_once(before: str | None, after: str) -> None:
    headers = Headers({} if before is None else {"vary": before})
    add_vary(headers, "Cookie")
    assert headers["vary"] == after
