"""Header blocks of HTTP/2 (RFC 9113 section 8, RFC 8441 section 4)."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trioweb.rules.headers import Headers
from trioweb.rules.pseudo import Head2, Malformed, head_of, trailers_of
from trioweb.rules.target import PathError, Target, parse_target

Block = list[tuple[bytes, bytes]]


def block(*fields: tuple[bytes, bytes], **pseudo: bytes | None) -> Block:
    """A good GET whose pseudo-header fields are replaced or (None) left out."""
    good: dict[str, bytes | None] = {
        "method": b"GET",
        "scheme": b"http",
        "authority": b"a",
        "path": b"/",
    }
    return [
        (b":" + name.encode(), value)
        for name, value in (good | pseudo).items()
        if value is not None
    ] + list(fields)


CONNECT: dict[str, bytes] = {"method": b"CONNECT", "protocol": b"websocket"}
OPTIONS = b"OPTIONS"
X = (b"x", b"1")
HOST = (b"host", b"a")

# id, the block, what of the head is looked at, what it is
PASSES: list[tuple[str, Block, str, object]] = [
    ("8.3.1 method", block(method=b"POST"), "method", "POST"),
    (
        "8.3.1 path",
        block(path=b"/a?b"),
        "target",
        Target("/a", ("a",), "/a", "b"),
    ),
    (
        "8.3.1 path of OPTIONS",
        block(method=OPTIONS, path=b"*"),
        "target",
        Target("*", (), "*", ""),
    ),
    (
        "8.3.1 H6 encoded slash",
        block(path=b"/a%2Fb"),
        "target",
        Target("/a/b", ("a/b",), "/a%2Fb", ""),
    ),
    ("8.3.1 scheme", block(scheme=b"https"), "scheme", "https"),
    ("3986 3.1 scheme in any case", block(scheme=b"HTTPS"), "scheme", "https"),
    ("8.3.1 authority", block(authority=b"A.b:8"), "authority", "A.b:8"),
    (
        "8.3.1 a host alone",
        block((b"host", b"b:1"), authority=None),
        "authority",
        "b:1",
    ),
    ("8.3 in any order", list(reversed(block())), "method", "GET"),
    ("8.1.1 length", block((b"content-length", b"12")), "length", 12),
    ("8.1.1 no length", block(), "length", None),
    ("9110 8.6 15 digits", block((b"content-length", b"0" * 15)), "length", 0),
    ("9110 10.1.1 expectation", block((b"expect", b"a b")), "expect", b"a b"),
    (
        "8.5 CONNECT",
        block(method=b"CONNECT", scheme=None, path=None, authority=b"b:443"),
        "target",
        Target("", (), "", "", "b:443"),
    ),
    ("8441 4 protocol", block(**CONNECT), "protocol", "websocket"),
    (
        "8441 4 its target",
        block(**CONNECT, path=b"/chat"),
        "target",
        Target("/chat", ("chat",), "/chat", ""),
    ),
]


@pytest.mark.parametrize(
    ("fields", "part", "expected"),
    [case[1:] for case in PASSES],
    ids=[case[0] for case in PASSES],
)
def test_a_block_with_one_reading_passes(
    fields: Block, part: str, expected: object
) -> None:
    before = fields.copy()
    assert getattr(head_of(fields), part) == expected
    assert fields == before


# id, the fields behind the pseudo-header fields, what HTTP/1.1 would have had
FIELDS: list[tuple[str, Block, Block]] = [
    ("8.3.1 authority becomes the host", [], [HOST]),
    ("8.3.1 the same host", [X, (b"host", b"A:")], [X, (b"host", b"A:")]),
    ("8.2.1 white space inside", [(b"x", b"a \t b")], [HOST, (b"x", b"a \t b")]),
    (
        "8.2.1 every character of a token",
        [(b"!#$%&'*+-.^_`|~09az", b"")],
        [HOST, (b"!#$%&'*+-.^_`|~09az", b"")],
    ),
    ("9110 5.3 repeated field", [X, X], [HOST, X, X]),
    ("8.2.2 te", [(b"te", b"Trailers")], [HOST, (b"te", b"Trailers")]),
    ("8.2.3 M17 one cookie", [(b"cookie", b"a=1")], [HOST, (b"cookie", b"a=1")]),
    (
        "8.2.3 M17 crumbs",
        [(b"cookie", b"a=1"), X, (b"cookie", b"b=2"), (b"cookie", b"c=3")],
        [HOST, (b"cookie", b"a=1; b=2; c=3"), X],
    ),
    ("3.1 M15 settings are dropped", [(b"http2-settings", b"AAMA"), X], [HOST, X]),
]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [case[1:] for case in FIELDS],
    ids=[case[0] for case in FIELDS],
)
def test_the_fields_are_those_of_http_1(fields: Block, expected: Block) -> None:
    assert head_of(block(*fields)).fields == expected


MALFORMED: list[tuple[str, Block]] = [
    ("8.3 M15 unknown pseudo-header field", block(status=b"200")),
    ("8.3 M15 empty pseudo-header field", [(b":", b""), *block()]),
    ("8.3 M15 after another field", [(b"x", b""), *block()]),
    ("8.3 M15 one after another field", [*block(path=None), X, (b":path", b"/")]),
    ("8.3 M15 two paths", [*block(), (b":path", b"/")]),
    ("8.3 M15 two methods", [*block(), (b":method", b"GET")]),
    ("8.3 M15 two authorities", [*block(), (b":authority", b"a")]),
    ("8.3.1 M15 no fields at all", []),
    ("8.3.1 M15 no method", block(method=None)),
    ("8.3.1 M15 no scheme", block(scheme=None)),
    ("8.3.1 M15 no path", block(path=None)),
    ("8.3.1 no host", block(authority=None)),
    ("8.3.1 H5 M15 empty method", block(method=b"")),
    ("8.3.1 H5 M15 request line", block(method=b"GET / HTTP/1.1")),
    ("8.3.1 H4 M15 no slash", block(path=b"foo")),
    ("8.3.1 H4 M15 absolute form", block(path=b"http://a/")),
    ("8.3.1 H4 M15 request line in it", block(path=b"/ HTTP/1.1\r\nHost: b")),
    ("8.3.1 H4 space", block(path=b"/a b")),
    ("8.3.1 H4 fragment", block(path=b"/a#b")),
    ("8.3.1 H4 backslash", block(path=b"/a\\b")),
    ("8.3.1 H4 NUL", block(path=b"/\0")),
    ("8.3.1 H4 bytes above 0x7f", block(path=b"/\xff")),
    ("8.3.1 H4 asterisk of GET", block(path=b"*")),
    ("8.3.1 H4 asterisk and more", block(method=b"OPTIONS", path=b"*a")),
    ("8.3.1 H3 M15 scheme is a URL", block(scheme=b"https://evil/?")),
    ("8.3.1 H3 another scheme", block(scheme=b"ftp")),
    ("8.3.1 H3 user", block(authority=b"u:p@a")),
    ("8.3.1 H3 path in the authority", block(authority=b"a/b")),
    ("8.3.1 H3 empty authority", block(authority=b"")),
    ("8.3.1 H3 empty authority beside a host", block((b"host", b"a"), authority=b"")),
    ("8.3.1 H3 line end", block(authority=b"a\r\nx: y")),
    ("8.3.1 H3 a list", block(authority=b"a,b")),
    ("8.3.1 H3 256 characters", block(authority=b"a" * 256)),
    ("8.3.1 H1 port", block(authority=b"a:99999")),
    ("8.3.1 H1 empty host", block((b"host", b""), authority=None)),
    ("8.3.1 H1 malformed host", block((b"host", b"a/b"))),
    ("8.3.1 H3 another host", block((b"host", b"b"))),
    ("8.3.1 H3 another port", block((b"host", b"a:1"))),
    ("9110 7.2 two hosts", block((b"host", b"a"), (b"host", b"a"))),
    ("8.2.1 M15 upper case", block((b"Foo", b"x"))),
    ("8.2.1 M15 empty name", block((b"", b"x"))),
    ("8.2.1 M15 space in a name", block((b"x y", b""))),
    ("8.2.1 M15 line end in a name", block((b"x\r\n", b""))),
    ("8.2.1 M15 colon in a name", block((b"x:", b""))),
    ("8.2.1 M15 bytes above 0x7f in a name", block((b"\xe9", b""))),
    ("8.2.1 M17 CR", block((b"x", b"a\rb"))),
    ("8.2.1 M17 LF", block((b"x", b"a\nb"))),
    ("8.2.1 M17 NUL", block((b"x", b"a\0b"))),
    ("9110 5.5 another control character", block((b"x", b"\x7f"))),
    ("8.2.1 space before", block((b"x", b" a"))),
    ("8.2.1 tab after", block((b"x", b"a\t"))),
    ("8.2.2 M15 connection", block((b"connection", b"close"))),
    ("8.2.2 M15 keep-alive", block((b"keep-alive", b"1"))),
    ("8.2.2 M15 proxy-connection", block((b"proxy-connection", b"close"))),
    ("8.2.2 M15 transfer-encoding", block((b"transfer-encoding", b"chunked"))),
    ("8.2.2 M15 upgrade", block((b"upgrade", b"websocket"))),
    ("8.2.2 M15 te", block((b"te", b"trailers, gzip"))),
    ("9110 8.6 M16 two lengths", block(*[(b"content-length", b"1")] * 2)),
    ("9110 8.6 M16 a list of lengths", block((b"content-length", b"1, 1"))),
    ("9110 8.6 M16 sign", block((b"content-length", b"+1"))),
    ("9110 8.6 M16 underscore", block((b"content-length", b"1_0"))),
    ("9110 8.6 M16 16 digits", block((b"content-length", b"0" * 16))),
    ("9110 8.6 M16 empty length", block((b"content-length", b""))),
    ("8.5 CONNECT with a path", block(method=b"CONNECT", scheme=None)),
    ("8.5 CONNECT with a scheme", block(method=b"CONNECT", path=None)),
    ("8.5 CONNECT without an authority", [(b":method", b"CONNECT"), HOST]),
    ("8441 4 protocol of a GET", block(protocol=b"websocket")),
    ("8441 4 empty protocol", block(method=b"CONNECT", protocol=b"")),
    ("8441 4 protocol is no token", block(method=b"CONNECT", protocol=b"a b")),
    ("8441 4 without a path", block(method=b"CONNECT", protocol=b"a", path=None)),
    ("8441 4 without a scheme", block(method=b"CONNECT", protocol=b"a", scheme=None)),
    ("8441 4 asterisk", block(method=b"CONNECT", protocol=b"a", path=b"*")),
]


@pytest.mark.parametrize(
    "fields", [case[1] for case in MALFORMED], ids=[case[0] for case in MALFORMED]
)
def test_anything_else_is_malformed(fields: Block) -> None:
    with pytest.raises(Malformed):
        head_of(fields)


def test_m16_content_that_was_declared_must_come() -> None:
    fields = block((b"content-length", b"5"), method=b"POST")
    assert head_of(fields).length == 5
    with pytest.raises(Malformed):
        head_of(fields, ended=True)
    none = block((b"content-length", b"0"), method=b"POST")
    assert head_of(none, ended=True).length == 0


@pytest.mark.parametrize("path", [b"/%zz", b"/%00", b"/%c0%ae/", b"/../a", b"/%2e%2E/"])
def test_h6_a_path_that_names_nothing_is_a_bad_request_instead(path: bytes) -> None:
    with pytest.raises(PathError):
        head_of(block(path=path))
    with pytest.raises(Malformed):
        head_of(block((b"X", b""), path=path))


TRAILERS: list[tuple[str, Block, bool]] = [
    ("8.1 none", [], True),
    ("8.1 some", [(b"checksum", b"1"), (b"x", b"")], True),
    ("8.1 M15 pseudo-header field", [(b":path", b"/")], False),
    ("8.2.1 M15 upper case", [(b"Checksum", b"1")], False),
    ("8.2.1 M17 line end", [(b"checksum", b"1\n")], False),
    ("8.2.2 M15 connection", [(b"proxy-connection", b"close")], False),
    ("9110 6.5.1 M16 length", [(b"content-length", b"1")], False),
    ("9110 6.5.1 authorization", [(b"authorization", b"x")], False),
]


@pytest.mark.parametrize(
    ("fields", "good"),
    [case[1:] for case in TRAILERS],
    ids=[case[0] for case in TRAILERS],
)
def test_trailers(fields: Block, good: bool) -> None:
    if good:
        assert trailers_of(fields) == fields
    else:
        with pytest.raises(Malformed):
            trailers_of(fields)


names = st.sampled_from(
    [b":method", b":path", b":scheme", b":authority", b":protocol", b"host", b"cookie"]
) | st.binary(max_size=4)
values = st.sampled_from([b"GET", b"/", b"http", b"a", b"CONNECT"]) | st.binary(
    max_size=6
)


@given(st.lists(st.tuples(names, values), max_size=8), st.booleans())
def test_any_block_is_refused_or_could_have_come_over_http_1(
    fields: Block, good: bool
) -> None:
    try:
        head = head_of((block() if good else []) + fields)
    except (Malformed, PathError):
        return
    assert_sound(head)


def assert_sound(head: Head2) -> None:
    rebuilt = Headers(
        (name.decode("ascii"), value.decode("latin-1")) for name, value in head.fields
    )
    assert rebuilt.raw == head.fields
    assert len(rebuilt.get_all("host")) == 1
    assert len(rebuilt.get_all("cookie")) <= 1
    if head.scheme:
        query = f"?{head.target.query}" if head.target.query else ""
        raw = f"{head.target.raw_path}{query}".encode()
        assert head.target == parse_target(head.method, raw)


def test_m4_a_large_block_is_read_in_no_time() -> None:
    large = block(*[(b"x-%d" % number, b"a" * 3900) for number in range(15)])
    crumbs = block(*[(b"cookie", b"a=1")] * 100)
    start = time.process_time()
    for _ in range(100):
        head_of(large)
        head_of(crumbs)
    # 40 µs a time; a loop over its bytes in Python would take a hundred times as long.
    assert time.process_time() - start < 0.5
