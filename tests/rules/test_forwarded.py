"""Forwarded (RFC 7239) and X-Forwarded-*: who is believed, and how far."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trioweb.rules.forwarded import HOPS, Form, Proxies, Sender
from trioweb.rules.headers import Headers

OURS = ["10.0.0.0/8", "2001:db8::/32", "unix"]


@pytest.mark.parametrize(
    ("host", "trusted"),
    [
        ("10.1.2.3", True),
        ("11.1.2.3", False),
        ("::ffff:10.1.2.3", True),
        ("2001:db8::1", True),
        ("2001:db8::1%eth0", True),
        ("2001:db9::1", False),
        ("unix", True),
        ("memory", False),
        ("localhost", False),
        ("", False),
    ],
)
def test_who_is_trusted(host: str, *, trusted: bool) -> None:
    assert Proxies(OURS).trusts(host) is trusted


def test_nobody_is_trusted_unasked() -> None:
    assert not Proxies([]).trusts("127.0.0.1")
    assert not Proxies([]).trusts("unix")


@pytest.mark.parametrize("text", ["10.0.0.1/8", "localhost", "", "*", "10.0.0.0/33"])
def test_what_is_no_proxy_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="give an address, a network"):
        Proxies([text])


X: Form = "x-forwarded"
CASES: list[tuple[str, Form, dict[str, str], Sender]] = [
    ("nothing said", X, {}, Sender("10.0.0.1")),
    ("one hop", X, {"for": "1.2.3.4"}, Sender("1.2.3.4")),
    ("what the peer wrote", X, {"for": "6.6.6.6, 1.2.3.4"}, Sender("1.2.3.4")),
    ("two proxies", X, {"for": "6.6.6.6, 1.2.3.4, 10.0.0.9"}, Sender("1.2.3.4")),
    ("all ours", X, {"for": "10.0.0.7, 10.0.0.9"}, Sender("10.0.0.7")),
    ("a port", X, {"for": "1.2.3.4:567"}, Sender("1.2.3.4", 567)),
    ("IPv6", X, {"for": "2001:DB9::1"}, Sender("2001:db9::1")),
    ("IPv6 port", X, {"for": "[2001:db9::1]:5"}, Sender("2001:db9::1", 5)),
    ("mapped", X, {"for": "::ffff:1.2.3.4"}, Sender("1.2.3.4")),
    ("unknown", X, {"for": "6.6.6.6, unknown"}, Sender("10.0.0.1")),
    ("unknown behind one", X, {"for": "x, 10.0.0.9"}, Sender("10.0.0.9")),
    ("a port too high", X, {"for": "1.2.3.4:70000"}, Sender("10.0.0.1")),
    ("not an address", X, {"for": "1.2.3.4.5"}, Sender("10.0.0.1")),
    (
        "scheme",
        X,
        {"for": "1.2.3.4", "proto": "HTTPS"},
        Sender("1.2.3.4", None, "https"),
    ),
    (
        "scheme of the hop",
        X,
        {"for": "1.2.3.4, 10.0.0.9", "proto": "https, http"},
        Sender("1.2.3.4", None, "https"),
    ),
    (
        "scheme the peer wrote",
        X,
        {"for": "6.6.6.6, 1.2.3.4", "proto": "https, http"},
        Sender("1.2.3.4", None, "http"),
    ),
    (
        "one scheme for all",
        X,
        {"for": "1.2.3.4, 10.0.0.9", "proto": "https"},
        Sender("1.2.3.4", None, "https"),
    ),
    ("no scheme", X, {"for": "1.2.3.4", "proto": "gopher"}, Sender("1.2.3.4")),
    ("scheme alone", X, {"proto": "https"}, Sender("10.0.0.1", None, "https")),
    (
        "host",
        X,
        {"for": "1.2.3.4", "host": "example.com:81"},
        Sender("1.2.3.4", None, None, "example.com:81"),
    ),
    ("no host", X, {"for": "1.2.3.4", "host": "a/b"}, Sender("1.2.3.4")),
    ("the other field", X, {"": "for=6.6.6.6;proto=https"}, Sender("10.0.0.1")),
    (
        "RFC 7239 4",
        "forwarded",
        {"": 'For="[2001:DB9:cafe::17]:4711";proto=https;host="a.example"'},
        Sender("2001:db9:cafe::17", 4711, "https", "a.example"),
    ),
    (
        "RFC 7239 7.1",
        "forwarded",
        {"": "for=6.6.6.6;proto=https, for=1.2.3.4, for=10.0.0.9;proto=http"},
        Sender("1.2.3.4", None, "http"),
    ),
    ("RFC 7239 6.2", "forwarded", {"": "for=unknown"}, Sender("10.0.0.1")),
    (
        "RFC 7239 6.3",
        "forwarded",
        {"": "for=_hidden;proto=https"},
        Sender("10.0.0.1", None, "https"),
    ),
    ("the X field", "forwarded", {"for": "6.6.6.6"}, Sender("10.0.0.1")),
    ("not a list", "forwarded", {"": '",;="for=\\'}, Sender("10.0.0.1")),
]


@pytest.mark.parametrize(
    ("form", "fields", "sender"),
    [case[1:] for case in CASES],
    ids=[c[0] for c in CASES],
)
def test_whom_a_proxy_speaks_for(
    form: Form, fields: dict[str, str], sender: Sender
) -> None:
    named = {
        f"x-forwarded-{name}" if name else "forwarded": fields[name] for name in fields
    }
    assert Proxies(OURS, form).sender(Headers(named), "10.0.0.1") == sender


def test_several_lines_are_one_list() -> None:
    headers = Headers([("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "1.2.3.4")])
    assert Proxies(OURS).sender(headers, "10.0.0.1") == Sender("1.2.3.4")


def test_hops_without_end_are_not_followed() -> None:
    hops = ["1.2.3.4", *(f"10.0.0.{n}" for n in range(HOPS))]
    headers = Headers({"x-forwarded-for": ", ".join(hops)})
    assert Proxies(OURS).sender(headers, "10.0.0.1") == Sender("10.0.0.0")


LINES = st.text(st.characters(min_codepoint=32, max_codepoint=126))


@given(LINES)
def test_what_stands_left_of_a_stranger_never_matters(text: str) -> None:
    fields = {"x-forwarded-for": f"{text}, 1.2.3.4", "x-forwarded-proto": "http"}
    expected = Sender("1.2.3.4", None, "http")
    assert Proxies(OURS).sender(Headers(fields), "10.0.0.1") == expected


@given(LINES)
def test_what_stands_left_in_forwarded_never_matters(text: str) -> None:
    headers = Headers({"forwarded": f"{text}, for=1.2.3.4;proto=http"})
    expected = Sender("1.2.3.4", None, "http")
    assert Proxies(OURS, "forwarded").sender(headers, "10.0.0.1") == expected
