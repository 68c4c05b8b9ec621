"""Origins: which requests a browser says that another site has made."""

from __future__ import annotations

import hypothesis
import hypothesis.strategies as some
import pytest

from trioweb.rules.origin import foreign, is_origin, same_host

HERE = "example.com"
TRUSTED = frozenset({"https://www.example.com", "http://localhost:5173"})

# id, Sec-Fetch-Site, Origin, the host asked for, whether it is foreign
MADE: list[tuple[str, str | None, str | None, str, bool]] = [
    # Browsers of today say where they come from, and scripts cannot change it.
    ("own page", "same-origin", "https://example.com", HERE, False),
    ("typed or bookmarked", "none", None, HERE, False),
    ("another site", "cross-site", "https://evil.example", HERE, True),
    ("a neighbour", "same-site", "https://blog.example.com", HERE, True),
    ("another site that hides", "cross-site", "null", HERE, True),
    ("another site, no origin", "cross-site", None, HERE, True),
    ("another site that lies", "cross-site", "https://example.com", HERE, True),
    ("own sandbox", "same-origin", "null", HERE, False),
    ("a word to come", "same-party", "https://example.com", HERE, True),
    ("another case", "Same-Origin", "https://example.com", HERE, True),
    ("empty", "", "https://example.com", HERE, True),
    # Whom we trust may.
    ("trusted neighbour", "same-site", "https://www.example.com", HERE, False),
    ("trusted stranger", "cross-site", "http://localhost:5173", HERE, False),
    ("trusted, old browser", None, "https://www.example.com", HERE, False),
    ("trusted by http", "same-site", "http://www.example.com", HERE, True),
    ("trusted, another port", None, "http://localhost:5174", HERE, True),
    ("trusted in capitals", None, "HTTPS://WWW.EXAMPLE.COM", HERE, True),
    # Browsers of before 2020 (Safari: 2023) have Origin alone.
    ("neither: no browser", None, None, HERE, False),
    ("same host", None, "https://example.com", HERE, False),
    ("behind a proxy that ends TLS", None, "https://example.com", HERE, False),
    ("another host", None, "https://evil.example", HERE, True),
    ("a host that ends like it", None, "https://notexample.com", HERE, True),
    ("a host that begins so", None, "https://example.com.evil.example", HERE, True),
    ("below it", None, "https://a.example.com", HERE, True),
    ("nobody's", None, "null", HERE, True),
    ("empty origin", None, "", HERE, True),
    ("several", None, "https://example.com https://evil.example", HERE, True),
    ("another case of a host", None, "https://example.com", "EXAMPLE.com", False),
    ("a user before it", None, "https://example.com@evil.example", HERE, True),
    ("a path behind it", None, "https://evil.example/example.com", HERE, True),
    ("of no web page", None, "chrome-extension://example.com", HERE, True),
    ("of a file", None, "file://", HERE, True),
    # Ports.
    ("https has 443", None, "https://example.com", "example.com:443", False),
    ("http has 80", None, "http://example.com", "example.com:80", False),
    ("said and not said", None, "https://example.com:443", HERE, False),
    ("https has not 80", None, "https://example.com", "example.com:80", True),
    ("http has not 443", None, "http://example.com", "example.com:443", True),
    ("that port", None, "http://example.com:8080", "example.com:8080", False),
    ("another port", None, "http://example.com:8081", "example.com:8080", True),
    ("a port too many", None, "http://example.com:8080", HERE, True),
    ("no number", None, "http://example.com:http", HERE, True),
    # Addresses.
    ("IPv4", None, "http://127.0.0.1:8080", "127.0.0.1:8080", False),
    ("IPv4 is not its name", None, "http://127.0.0.1:8080", "localhost:8080", True),
    ("IPv6", None, "http://[::1]:8080", "[::1]:8080", False),
    ("IPv6 by its default", None, "https://[2001:db8::1]", "[2001:db8::1]:443", False),
    ("another IPv6", None, "http://[::2]:8080", "[::1]:8080", True),
    ("half an IPv6", None, "http://[::1", "[::1]", True),
    # HTTP/1.0 may name no host: then nothing is the same.
    ("no host", None, "http://example.com", "", True),
    ("no host either way", None, "http://", "", True),
]


@pytest.mark.parametrize(
    ("site", "origin", "authority", "answer"),
    [case[1:] for case in MADE],
    ids=[case[0] for case in MADE],
)
def test_who_has_made_a_request(
    site: str | None, origin: str | None, authority: str, *, answer: bool
) -> None:
    assert foreign(site, origin, authority, TRUSTED) == answer


@hypothesis.given(some.text(max_size=30), some.text(max_size=30))
def test_whatever_is_said_it_raises_nothing(origin: str, authority: str) -> None:
    same_host(origin, authority)
    foreign(None, f"https://{origin}", authority)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("https://www.example.com", True),
        ("http://localhost:5173", True),
        ("http://[::1]:8080", True),
        ("www.example.com", False),
        ("https://www.example.com/", False),
        ("https://*.example.com", False),
        ("https://www.Example.com", False),
        ("HTTPS://www.example.com", False),
        ("null", False),
        ("*", False),
        ("", False),
        ("ftp://example.com", False),
    ],
)
def test_what_can_be_trusted_is_an_origin(text: str, *, answer: bool) -> None:
    assert is_origin(text) == answer
