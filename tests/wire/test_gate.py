"""The gate: heads with exactly one reading pass, and h11 reads them the same way."""

from __future__ import annotations

import h11
import hypothesis.strategies as st
import pytest
from hypothesis import example, given

from trioweb.message.errors import HTTPError
from trioweb.rules.target import parse_target
from trioweb.wire.gate import Head, check, find_end
from trioweb.wire.limits import Limits

LIMITS = Limits()
SMALL = Limits(request_line=24, head=64, fields=3)

G = b"GET / HTTP/1.1\r\nHost: a\r\n"
P = b"POST / HTTP/1.1\r\nHost: a\r\n"

# id, head without its last line end, (minor, length, chunked, upgrade)
PASSES: list[tuple[str, bytes, tuple[int, int, bool, bool]]] = [
    ("9112 3", G, (1, 0, False, False)),
    (
        "9112 2.3 version 1.0 without a host",
        b"GET / HTTP/1.0\r\n",
        (0, 0, False, False),
    ),
    ("9110 5.3 repeated field", G + b"X: 1\r\nX: 2\r\n", (1, 0, False, False)),
    ("9110 5.5 empty value", G + b"X:\r\n", (1, 0, False, False)),
    ("9110 5.5 bytes above 0x7f", G + b"X: \xff\xe9\r\n", (1, 0, False, False)),
    ("9110 5.6.3 white space", G + b"X: \t a \t\r\n", (1, 0, False, False)),
    ("9112 6.2 length", P + b"Content-Length: 12\r\n", (1, 12, False, False)),
    ("9110 8.6 leading zero", P + b"Content-Length: 01\r\n", (1, 1, False, False)),
    (
        "9110 8.6 15 digits",
        P + b"content-length: " + b"9" * 15 + b"\r\n",
        (1, 10**15 - 1, False, False),
    ),
    ("9112 6.1 chunked", P + b"Transfer-Encoding: chunked\r\n", (1, 0, True, False)),
    ("9112 7 F2 any case", P + b"Transfer-Encoding: CHUNKED\r\n", (1, 0, True, False)),
    (
        "9112 7 F2 tab before",
        P + b"Transfer-Encoding:\tchunked\r\n",
        (1, 0, True, False),
    ),
    (
        "9112 7 F2 tab after",
        P + b"Transfer-Encoding: chunked\t\r\n",
        (1, 0, True, False),
    ),
    ("9110 10.1.1 expectation", P + b"Expect: 100-Continue\r\n", (1, 0, False, False)),
    ("9110 7.8 upgrade", G + b"Upgrade: x\r\n", (1, 0, False, True)),
    (
        "9112 3.2.2 absolute",
        b"GET http://A:8/x HTTP/1.1\r\nHost: a:8\r\n",
        (1, 0, False, False),
    ),
    ("9112 3.2.2 absolute in 1.0", b"GET http://a/ HTTP/1.0\r\n", (0, 0, False, False)),
    ("9112 3.2.4 asterisk", b"OPTIONS * HTTP/1.1\r\nHost: a\r\n", (1, 0, False, False)),
    (
        "3986 3.2.2 address",
        b"GET / HTTP/1.1\r\nHost: [::1]:80\r\n",
        (1, 0, False, False),
    ),
    (
        "F13 connection names a length",
        P + b"Connection: content-length\r\nContent-Length: 1\r\n",
        (1, 1, False, False),
    ),
    ("F14 underscore", G + b"Content_Length: 5\r\n", (1, 0, False, False)),
    (
        "H5 TRACE is the application's",
        b"TRACE / HTTP/1.1\r\nHost: a\r\n",
        (1, 0, False, False),
    ),
    ("H6 encoded slash", b"GET /a%2Fb HTTP/1.1\r\nHost: a\r\n", (1, 0, False, False)),
]


@pytest.mark.parametrize(
    ("head", "facts"), [case[1:] for case in PASSES], ids=[case[0] for case in PASSES]
)
def test_a_head_with_one_reading_passes(
    head: bytes, facts: tuple[int, int, bool, bool]
) -> None:
    passed = check(head + b"\r\n", LIMITS)
    assert (passed.minor, passed.length, passed.chunked, passed.upgrade) == facts
    agree(passed)


def agree(head: Head) -> None:
    """Hold the gate's reading of *head* against h11's."""
    state = h11.Connection(h11.SERVER, max_incomplete_event_size=LIMITS.head)
    state.receive_data(head.raw)
    event = state.next_event()
    assert isinstance(event, h11.Request)
    assert event.method == head.method.encode()
    assert parse_target(head.method, event.target) == head.target
    assert event.http_version == b"1.%d" % head.minor
    # h11 lowers the one value in which case means nothing.
    assert [(bytes(name), bytes(value)) for name, value in event.headers] == [
        (name, value.lower() if name == b"transfer-encoding" else value)
        for name, value in head.fields
    ]
    if head.chunked:
        state.receive_data(b"1\r\na\r\n0\r\n\r\n")
        assert isinstance(state.next_event(), h11.Data)
    elif head.length:
        state.receive_data(b"a" * min(head.length, 9))
        assert isinstance(state.next_event(), h11.Data)
    if head.length <= 9:
        assert isinstance(state.next_event(), h11.EndOfMessage)


def status(data: bytes, limits: Limits, step: int) -> int:
    """What becomes of *data* in pieces of *step* bytes: 200, a refusal, 0 for more."""
    buffer, seen = bytearray(), 0
    try:
        for at in range(0, len(data), step):
            buffer += data[at : at + step]
            end = find_end(buffer, seen, limits)
            if end >= 0:
                check(bytes(buffer[:end]), limits)
                return 200
            seen = len(buffer)
    except HTTPError as error:
        return error.status
    return 0


LINE = b"GET /aaaaaaaaaa HTTP/1.0"  # as long as SMALL allows
BOUNDS: list[tuple[str, bytes, int]] = [
    ("L1 a line of the limit", LINE + b"\r\n\r\n", 200),
    ("L1 one more", b"GET /aaaaaaaaaaa HTTP/1.0\r\n\r\n", 414),
    ("L1 no line end in sight", b"GET /" + b"a" * 30, 414),
    ("L1 waiting for the line end", LINE + b"\r", 0),
    ("L2 a head of the limit", b"GET / HTTP/1.0\r\nx: " + b"a" * 41 + b"\r\n\r\n", 200),
    ("L2 one more", b"GET / HTTP/1.0\r\nx: " + b"a" * 42 + b"\r\n\r\n", 431),
    ("L2 no end in sight", b"GET / HTTP/1.0\r\nx: " + b"a" * 90, 431),
    ("L2 fields of the limit", b"GET / HTTP/1.0\r\na:\r\na:\r\na:\r\n\r\n", 200),
    ("L2 one field more", b"GET / HTTP/1.0\r\na:\r\na:\r\na:\r\na:\r\n\r\n", 431),
    ("F6 bare LF before the limit", b"GET /\n" + b"a" * 40, 400),
    ("F6 bare LF after it", b"GET /" + b"a" * 22 + b"\n", 414),
    ("F6 bare CR at its very end", b"GET /aaaaaaaaaa HTTP/1.0\rX", 414),
    ("F6 bare CR", b"GET /aaaaaaaaa HTTP/1.0\rX", 400),
    ("F6 CR last", b"GET / HTTP/1.0\r", 0),
    ("F19 first byte", b"\x16", 400),
]


@pytest.mark.parametrize(
    ("data", "expected"), [case[1:] for case in BOUNDS], ids=[c[0] for c in BOUNDS]
)
def test_the_limits_bind_however_the_bytes_are_split(
    data: bytes, expected: int
) -> None:
    found = {step: status(data, SMALL, step) for step in range(1, len(data) + 1)}
    assert set(found.values()) == {expected}, found


# Bytes that matter to somebody, in every order.
PARTS = [b"\r\n", b"\r", b"\n", b" ", b"\t", b":", b",", b"a", b"\0", b"\x7f", b"\xff"]
PARTS += [b"GET / HTTP/1.1\r\n", b"Host: a\r\n", b"GET", b"/", b"HTTP/1.1", b"Host"]
PARTS += [b"%41", b"#", b"\\", b"@", b"FROB / HTTP/1.1\r\n", b"x" * 20, b"\r\n\r\n"]
BYTES = st.lists(st.sampled_from(PARTS)).map(b"".join)


@given(BYTES, st.integers(1, 9))
@example(b"FROB / HTTP/1.1\r\nX: \1\r\n\r\n", 1)
@example(b"GET / HTTP/1.1\r\nHost: a\r\n" + b"a:" * 30 + b"\n", 1)
def test_any_split_of_the_bytes_has_the_same_end(data: bytes, step: int) -> None:
    for limits in (SMALL, LIMITS):
        assert status(data, limits, step) == status(data, limits, len(data) or 1)


NAMES = ["Host", "host", "Content-Length", "Transfer-Encoding", "Connection", "Expect"]
NAMES += [
    "Upgrade",
    "X",
    "x_y",
    "Content_Length",
    "!#$%&'*+-.^_`|~",
    "Accept",
    "Trailer",
]
VALUES = [
    "",
    "a",
    "b:80",
    "[::1]",
    "0",
    "7",
    "007",
    "1,1",
    "chunked",
    "Chunked",
    "gzip",
]
VALUES += ["close", "keep-alive", "upgrade", "content-length", "100-continue", "h2c"]
VALUES += ['"a,b"', "é", "\x80", "a b", "a\tb", ";", "%00", "a" * 300]
LINES = st.tuples(
    st.sampled_from(["GET", "POST", "OPTIONS", "HEAD", "CONNECT", "get", "QUERY"]),
    st.sampled_from(
        ["/", "/a?b", "*", "http://a/", "a:80", "/%41%2f", "//", "/é", "/~'"]
    ),
    st.sampled_from(["HTTP/1.1", "HTTP/1.0", "HTTP/1.2"]),
).map(" ".join)
SPACE = st.sampled_from(["", " ", "\t", " \t "])
FIELDS = st.tuples(
    st.sampled_from(NAMES),
    st.just(":"),
    SPACE,
    st.sampled_from(VALUES) | st.text(st.characters(max_codepoint=255), max_size=9),
    SPACE,
).map("".join)
HEADS = st.tuples(LINES, st.lists(FIELDS, max_size=5)).map(
    lambda head: "".join(
        line + "\r\n" for line in [head[0], "Host: a", *head[1], ""]
    ).encode("latin-1")
)


@given(HEADS)
def test_what_the_gate_lets_through_h11_reads_the_same_way(head: bytes) -> None:
    try:
        passed = check(head, LIMITS)
    except HTTPError:
        return
    agree(passed)


@given(st.binary() | BYTES)
def test_the_gate_raises_nothing_but_refusals(data: bytes) -> None:
    assert status(data, LIMITS, 1) in {0, 200, 400, 414, 417, 431, 501, 505}
    try:
        check(data, LIMITS)
    except HTTPError as error:
        assert error.status >= 400  # noqa: PT017  # that it is one is the point
