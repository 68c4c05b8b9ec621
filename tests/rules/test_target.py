"""Request targets (RFC 9112 section 3.2, RFC 3986)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trioweb.rules.target import (
    Target,
    TargetError,
    encode_path,
    encode_segment,
    parse_authority,
    parse_target,
)

SEGMENTS: list[tuple[str, bytes, tuple[str, ...]]] = [
    ("9112 3.2.1 root", b"/", ("",)),
    ("9112 3.2.1 two segments", b"/a/b", ("a", "b")),
    ("9112 3.2.1 slash at the end", b"/a/", ("a", "")),
    ("3986 3.3 empty segments", b"//a//", ("", "a", "", "")),
    ("3986 3.3 plus is a plus", b"/a+b", ("a+b",)),
    ("3986 3.3 dots in names", b"/.a/..b/c./...", (".a", "..b", "c.", "...")),
    ("3986 2.1 decoded once", b"/%2561", ("%61",)),
    ("3986 2.1 dot decoded once", b"/%252e%252e", ("%2e%2e",)),
    ("3986 2.1 lower case", b"/%c3%a9", ("é",)),
    ("3986 2.1 UTF-8", b"/%ED%95%9C%EA%B8%80/x", ("한글", "x")),
    ("3986 2.2 slash", b"/a%2Fb/c", ("a/b", "c")),
    ("3986 2.2 dots and slash", b"/..%2fetc", ("../etc",)),
    ("3986 2.2 question mark", b"/a%3Fb", ("a?b",)),
    ("3986 2.2 encoded backslash", b"/a%5Cb", ("a\\b",)),
    ("3986 5.2.4 dot", b"/a/./b", ("a", "b")),
    ("3986 5.2.4 dot at the end", b"/a/.", ("a", "")),
    ("3986 5.2.4 dot alone", b"/.", ("",)),
    ("3986 5.2.4 two dots", b"/a/b/../c", ("a", "c")),
    ("3986 5.2.4 two dots at the end", b"/a/b/..", ("a", "")),
    ("3986 5.2.4 back to the root", b"/a/..", ("",)),
    ("3986 5.2.4 over an empty segment", b"/a//..", ("a", "")),
    ("3986 5.2.4 encoded dots", b"/a/%2e%2E/b/%2e/.%2e/c", ("c",)),
]


@pytest.mark.parametrize(
    ("target", "segments"),
    [case[1:] for case in SEGMENTS],
    ids=[case[0] for case in SEGMENTS],
)
def test_segments(target: bytes, segments: tuple[str, ...]) -> None:
    found = parse_target("GET", target)
    assert found.segments == segments
    assert found.path == "/" + "/".join(segments)
    assert found.raw_path == target.decode()
    assert (found.query, found.authority, found.scheme) == ("", None, None)


FORMS = [
    (
        "3.2.1 query",
        "GET",
        b"/a?b=%zz&c\\?d",
        Target("/a", ("a",), "/a", "b=%zz&c\\?d"),
    ),
    ("3.2.1 empty query", "GET", b"/a?", Target("/a", ("a",), "/a", "")),
    ("3.2.1 dots in query", "GET", b"/?/../..", Target("/", ("",), "/", "/../..")),
    (
        "3.2.2 absolute",
        "GET",
        b"HTTP://Example.org:80/a%2e?q",
        Target("/a.", ("a.",), "/a%2e", "q", "Example.org:80", "http"),
    ),
    (
        "3.2.2 absolute without a path",
        "GET",
        b"https://[::1]",
        Target("/", ("",), "/", "", "[::1]", "https"),
    ),
    (
        "3.2.2 absolute with a query alone",
        "GET",
        b"http://a?http://b/c",
        Target("/", ("",), "/", "http://b/c", "a", "http"),
    ),
    ("3.2.4 asterisk", "OPTIONS", b"*", Target("*", (), "*", "")),
]


@pytest.mark.parametrize(
    ("method", "target", "found"),
    [case[1:] for case in FORMS],
    ids=[case[0] for case in FORMS],
)
def test_forms(method: str, target: bytes, found: Target) -> None:
    assert parse_target(method, target) == found


REFUSED = [
    ("3.2 empty", "GET", b"", "must start with /"),
    ("3.2 relative", "GET", b"foo", "must start with /"),
    ("3.2.1 query alone", "GET", b"?a", "must start with /"),
    ("3.2.2 other scheme", "GET", b"ftp://a/", "must start with /"),
    ("3.2.2 no authority", "GET", b"http:///a", "host is not"),
    ("3.2.2 user name", "GET", b"http://u@a/", "host is not"),
    ("3.2.2 port", "GET", b"http://a:99999/", "port is above"),
    ("3.2.2 backslash in authority", "GET", b"http://a\\b/", "host is not"),
    ("3.2.2 climbing", "GET", b"http://a/../b", "climbs"),
    ("3.2.3 authority", "CONNECT", b"a:443", "must start with /"),
    ("3.2.4 asterisk of GET", "GET", b"*", "must start with /"),
    ("3.2.4 asterisk and more", "OPTIONS", b"*?a", "must start with /"),
    ("3986 3.5 fragment", "GET", b"/a#b", "contains b'#'"),
    ("3986 3.5 fragment in query", "GET", b"/a?b#c", "contains b'#'"),
    ("3986 2 space", "GET", b"/a b", "contains b' '"),
    ("3986 2 NUL", "GET", b"/a\0", r"contains b'\\x00'"),
    ("3986 2 LF in query", "GET", b"/?a\n", r"contains b'\\n'"),
    ("3986 2 DEL", "GET", b"/\x7f", r"contains b'\\x7f'"),
    ("3986 2 raw UTF-8", "GET", "/é".encode(), r"contains b'\\xc3'"),
    ("3986 2 raw byte in query", "GET", b"/?\xff", r"contains b'\\xff'"),
    ("3986 3.3 backslash", "GET", b"/a\\b", "backslash"),
    ("3986 2.1 no hex", "GET", b"/a%zz", "begins no escape"),
    ("3986 2.1 one digit", "GET", b"/%4", "begins no escape"),
    ("3986 2.1 one digit in the middle", "GET", b"/%4/a", "begins no escape"),
    ("3986 2.1 % at the end", "GET", b"/a%", "begins no escape"),
    ("3986 2.1 signed", "GET", b"/%+4", "begins no escape"),
    ("3986 2.1 %00", "GET", b"/a%00b", "contains %00"),
    ("3629 3 overlong", "GET", b"/%c0%ae/", "UTF-8"),
    ("3629 3 overlong NUL", "GET", b"/%c0%80/", "UTF-8"),
    ("3629 3 surrogate", "GET", b"/%ed%a0%80", "UTF-8"),
    ("3629 3 cut off", "GET", b"/%e2%82", "UTF-8"),
    ("3629 3 across a slash", "GET", b"/%c3/%a9", "UTF-8"),
    ("3629 3 latin-1", "GET", b"/%e9", "UTF-8"),
    ("3986 5.2.4 above the root", "GET", b"/..", "climbs"),
    ("3986 5.2.4 above and back", "GET", b"/a/../../b", "climbs"),
    ("3986 5.2.4 encoded", "GET", b"/%2e%2e/b", "climbs"),
    ("3986 5.2.4 half encoded", "GET", b"/.%2E/b", "climbs"),
]


@pytest.mark.parametrize(
    ("method", "target", "message"),
    [case[1:] for case in REFUSED],
    ids=[case[0] for case in REFUSED],
)
def test_refused_targets(method: str, target: bytes, message: str) -> None:
    with pytest.raises(TargetError, match=message):
        parse_target(method, target)


AUTHORITIES = [
    ("3986 3.2.2 name", "Example.ORG", ("example.org", None)),
    ("3986 3.2.2 one letter", "a", ("a", None)),
    ("3986 3.2.2 underscore", "a_b-c~d", ("a_b-c~d", None)),
    ("3986 3.2.2 percent-encoded", "%ED%95%9C", ("%ed%95%9c", None)),
    ("3986 3.2.2 dot at the end", "a.", ("a.", None)),
    ("3986 3.2.2 IPv4", "127.0.0.1:80", ("127.0.0.1", 80)),
    ("3986 3.2.2 IPv6", "[2001:DB8::1]", ("[2001:db8::1]", None)),
    ("3986 3.2.2 IPv6 with IPv4", "[::ffff:1.2.3.4]:1", ("[::ffff:1.2.3.4]", 1)),
    ("3986 3.2.3 port", "a:65535", ("a", 65535)),
    ("3986 3.2.3 empty port", "a:", ("a", None)),
    ("1035 3.1 255 characters", "a" * 255, ("a" * 255, None)),
]


@pytest.mark.parametrize(
    ("value", "found"),
    [case[1:] for case in AUTHORITIES],
    ids=[case[0] for case in AUTHORITIES],
)
def test_authorities(value: str, found: tuple[str, int | None]) -> None:
    assert parse_authority(value) == found


BAD_AUTHORITIES = [
    ("3986 3.2.2 empty", ""),
    ("3986 3.2.2 port alone", ":80"),
    ("3986 3.2.1 user", "u@a"),
    ("3986 3.2.1 user and password", "u:p@a"),
    ("9110 7.2 junk", "a/b@c?d#e"),
    ("9110 7.2 list", "a,b"),
    ("9110 7.2 list with space", "a, b"),
    ("9110 7.2 white space", " a"),
    ("9110 7.2 line end", "a\n"),
    ("3986 3.2.2 non-ASCII", "é.example"),
    ("3986 3.2.2 bad escape", "a%4"),
    ("3986 3.2.2 backslash", "a\\b"),
    ("3986 3.2.2 quote", 'a"'),
    ("3986 3.2.2 bare IPv6", "::1"),
    ("3986 3.2.2 no IPv6", "[1:2]"),
    ("3986 3.2.2 empty brackets", "[]"),
    ("3986 3.2.2 open bracket", "[::1"),
    ("3986 3.2.2 text behind bracket", "[::1]a"),
    ("3986 3.2.2 future", "[v1.a]"),
    ("6874 2 zone", "[fe80::1%25eth0]"),
    ("3986 3.2.3 port too high", "a:65536"),
    ("3986 3.2.3 long port", "a:" + "9" * 250),
    ("3986 3.2.3 signed port", "a:+1"),
    ("3986 3.2.3 other digits", "a:\N{ARABIC-INDIC DIGIT ONE}"),
    ("3986 3.2.3 two ports", "a:1:2"),
    ("1035 3.1 256 characters", "a" * 256),
]


@pytest.mark.parametrize(
    "value", [c[1] for c in BAD_AUTHORITIES], ids=[c[0] for c in BAD_AUTHORITIES]
)
def test_refused_authorities(value: str) -> None:
    with pytest.raises(TargetError):
        parse_authority(value)


def test_encoding_keeps_what_may_stand_in_a_segment() -> None:
    assert encode_segment("a-._~!$&'()*+,;=:@") == "a-._~!$&'()*+,;=:@"
    assert (
        encode_segment('a/b?c#d%e\\"<> 한')
        == "a%2Fb%3Fc%23d%25e%5C%22%3C%3E%20%ED%95%9C"
    )
    assert encode_path("/a/b c/é") == "/a/b%20c/%C3%A9"


TEXT = st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]))


@given(st.lists(TEXT.filter(lambda text: text not in {".", ".."}), min_size=1))
def test_encoded_segments_are_read_back(segments: list[str]) -> None:
    target = "/" + "/".join(encode_segment(segment) for segment in segments)
    assert parse_target("GET", target.encode("ascii")).segments == tuple(segments)


PIECES = st.sampled_from([b"/", b".", b"%2e", b"%2F", b"%", b"a", b"?", b"\\", b"\xc3"])


@given(st.binary() | st.lists(PIECES).map(b"".join).map(b"/".__add__))
def test_a_target_is_refused_or_stays_below_its_root(target: bytes) -> None:
    try:
        found = parse_target("GET", target)
    except TargetError:
        return
    assert found.path.startswith("/")
    assert not {".", ".."} & set(found.segments)
    assert "\\" not in found.raw_path
    encoded = "/" + "/".join(map(encode_segment, found.segments))
    assert parse_target("GET", encoded.encode()).segments == found.segments


@given(st.text())
def test_an_authority_is_refused_or_one_host(value: str) -> None:
    try:
        host, port = parse_authority(value)
    except TargetError:
        return
    assert not set(host) & set("/?#@,\\ \r\n")
    assert parse_authority(host if port is None else f"{host}:{port}") == (host, port)
