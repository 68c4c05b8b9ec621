"""The session's cookie, found among others as the parser of all cookies finds it."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from tests.app.asking import request
from trioweb.app.sessions.cookie import SessionCookie
from trioweb.rules.headers import Headers

SID = SessionCookie()

PIECES = st.sampled_from(
    ["sid", "sid=", "=", ";", "; ", " ", "\t", "a", '"', "sid=b", "xsid=", "SID=c", ","]
)
LINES = st.lists(st.lists(PIECES, max_size=12).map("".join), max_size=3)


@given(LINES)
@example(["sid=a; sid=b"])
@example(["sid =a ;sid= b\t; sid=a"])
@example(["=sid=a;sid"])
def test_it_is_found_where_all_cookies_would_have_it(lines: list[str]) -> None:
    asked = request("GET", "/")
    asked.headers = Headers([("cookie", line) for line in lines])
    assert SID.sent(asked) == list(dict.fromkeys(asked.cookies.get_all("sid")))
