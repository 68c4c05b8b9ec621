"""Requests that are refused, by the rows of the table of threats: one answer, then FIN.

Each is sent whole, byte by byte, and cut in two at every position.
"""

from __future__ import annotations

import pytest
import trio.testing

from tests.wire.handlers import GET, SMUGGLED, G, P, Served, T
from tests.wire.talking import Answer, End, Talking, answers, say, splits
from trioweb.message.request import Request
from trioweb.message.response import Response

EMPTY = b"0\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"


def coded(value: bytes) -> bytes:
    return P + b"Transfer-Encoding: " + value + b"\r\n\r\n" + EMPTY


def sized(*values: bytes) -> bytes:
    fields = b"".join(b"Content-Length: " + value + b"\r\n" for value in values)
    return P + fields + b"\r\nabcd"


def asked(line: bytes) -> bytes:
    return line + b"\r\nHost: a\r\n\r\n"


def hosted(value: bytes) -> bytes:
    return b"GET / HTTP/1.1\r\nHost: " + value + b"\r\n\r\n"


FRAMING = [
    (
        "F1 length then coding",
        P + b"Content-Length: 5\r\n" + CHUNKED + b"\r\n" + EMPTY,
        400,
    ),
    ("F1 coding then length", P + CHUNKED + b"Content-Length: 5\r\n\r\n" + EMPTY, 400),
    ("F2 xchunked", coded(b"xchunked"), 501),
    ("F2 chunked, identity", coded(b"chunked, identity"), 501),
    ("F2 identity", coded(b"identity"), 501),
    ("F2 quoted", coded(b'"chunked"'), 501),
    ("F2 vertical tab", coded(b"\x0bchunked"), 400),
    ("F2 twice", P + CHUNKED * 2 + b"\r\n" + EMPTY, 400),
    ("F2 chunked, chunked", coded(b"chunked, chunked"), 501),
    ("F2 empty", coded(b""), 501),
    ("F2 gzip, chunked", coded(b"gzip, chunked"), 501),
    ("F3 two equal", sized(b"4", b"4"), 400),
    ("F3 two different", sized(b"4", b"1"), 400),
    ("F3 list", sized(b"1,2"), 400),
    ("F3 list of equals", sized(b"1, 1"), 400),
    ("F3 plus", sized(b"+1"), 400),
    ("F3 minus", sized(b"-1"), 400),
    ("F3 hexadecimal", sized(b"0x1"), 400),
    ("F3 underscore", sized(b"1_0"), 400),
    ("F3 empty", sized(b""), 400),
    ("F3 2^64 + 1", sized(b"18446744073709551617"), 400),
    ("F3 20 digits", sized(b"0" * 19 + b"4"), 400),
    ("F4 before the colon", P + b"Transfer-Encoding : chunked\r\n\r\n" + EMPTY, 400),
    ("F4 before the first", b"GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400),
    ("F4 inside a name", G + b"X Y: a\r\n\r\n", 400),
    ("F5 folded", G + b"X: a\r\n b\r\n\r\n", 400),
    ("F5 folded by a tab", G + b"X: a\r\n\tb\r\n\r\n", 400),
    ("F5 folded coding", P + b"Transfer-Encoding:\r\n chunked\r\n\r\n" + EMPTY, 400),
    ("F5 folded length", P + b"Content-Length:\r\n 4\r\n\r\nabcd", 400),
    ("F6 bare LF", b"GET / HTTP/1.1\nHost: a\n\n", 400),
    ("F6 bare LF in a field", G + b"X: a\nY: b\r\n\r\n", 400),
    ("F6 bare CR", G + b"X: a\rY: b\r\n\r\n", 400),
    ("F6 CR CR LF", G + b"X: a\r\r\n\r\n", 400),
    ("F6 NUL", G + b"X: a\0b\r\n\r\n", 400),
    ("F6 CR for a space", b"GET\r/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("F6 LF first", b"\n" + GET, 400),
    ("F6 two empty lines", b"\r\n\r\n" + GET, 400),
    ("F11 coding in 1.0", b"POST / HTTP/1.0\r\n" + CHUNKED + b"\r\n" + EMPTY, 400),
    ("F12 1.2", asked(b"GET / HTTP/1.2"), 505),
    ("F12 2.0", asked(b"GET / HTTP/2.0"), 505),
    ("F12 9.9", asked(b"GET / HTTP/9.9"), 505),
    ("F12 0.9", b"GET /\r\n\r\n", 400),
    ("F12 lower case", asked(b"GET / http/1.1"), 400),
    ("F12 1.10", asked(b"GET / HTTP/1.10"), 400),
    ("F17 unknown", G + b"Expect: bogus\r\n\r\n", 417),
    ("F18 CONNECT", b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 501),
    ("F18 no preface after all", b"PRI * HTTP/2.0\r\nHost: a\r\n\r\n", 400),
    ("F19 TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(20), 400),
]

TARGETS = [
    ("H1 none", b"GET / HTTP/1.1\r\n\r\n", 400),
    ("H1 two", G + b"Host: b\r\n\r\n", 400),
    ("H1 two equal", G + b"Host: a\r\n\r\n", 400),
    ("H1 empty", hosted(b""), 400),
    ("H1 path", hosted(b"a/b@c?d#e"), 400),
    ("H1 user", hosted(b"user@a"), 400),
    ("H1 list", hosted(b"a,b"), 400),
    ("H1 port", hosted(b"a:99999"), 400),
    ("H1 256 characters", hosted(b"a" * 256), 400),
    ("H2 another host", b"GET http://evil/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("H2 another port", b"GET http://a:81/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("H2 user", b"GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("H4 no slash", asked(b"GET foo HTTP/1.1"), 400),
    ("H4 fragment", asked(b"GET /#a HTTP/1.1"), 400),
    ("H4 backslash", asked(b"GET /a\\b HTTP/1.1"), 400),
    ("H4 0x80", asked(b"GET /\x80 HTTP/1.1"), 400),
    ("H4 0x7f", asked(b"GET /\x7f HTTP/1.1"), 400),
    ("H4 NUL", asked(b"GET /\0 HTTP/1.1"), 400),
    ("H4 space", asked(b"GET /a b HTTP/1.1"), 400),
    ("H4 asterisk", asked(b"GET * HTTP/1.1"), 400),
    ("H4 authority", asked(b"GET a:80 HTTP/1.1"), 400),
    ("H5 lower case", asked(b"get / HTTP/1.1"), 501),
    ("H5 unknown", asked(b"FROB / HTTP/1.1"), 501),
    ("H5 no token", asked(b"G(T / HTTP/1.1"), 400),
    ("H5 33 letters", asked(b"A" * 33 + b" / HTTP/1.1"), 501),
    ("H6 %zz", asked(b"GET /a%zz HTTP/1.1"), 400),
    ("H6 %00", asked(b"GET /a%00b HTTP/1.1"), 400),
    ("H6 overlong", asked(b"GET /%c0%ae/ HTTP/1.1"), 400),
    (
        "any: control bytes win over an unknown method",
        b"FROB / HTTP/1.1\r\nX: \1\r\n\r\n",
        400,
    ),
]

CHUNKS = [
    ("F7 CR in an extension", T + b"1;a\rb\r\na\r\n" + EMPTY, 400),
    ("F7 LF in an extension", T + b"1;a\nb\r\na\r\n" + EMPTY, 400),
    ("F7 NUL in an extension", T + b"1;a\0b\r\na\r\n" + EMPTY, 400),
    ("F8 0x1", T + b"0x1\r\na\r\n" + EMPTY, 400),
    ("F8 plus", T + b"+1\r\na\r\n" + EMPTY, 400),
    ("F8 minus", T + b"-1\r\na\r\n" + EMPTY, 400),
    ("F8 underscore", T + b"1_0\r\na\r\n" + EMPTY, 400),
    ("F8 space before", T + b" 1\r\na\r\n" + EMPTY, 400),
    ("F8 comma", T + b"1,1\r\na\r\n" + EMPTY, 400),
    ("F8 space after", T + b"1 \r\na\r\n" + EMPTY, 400),
    ("F8 2^64 + 1", T + b"10000000000000001\r\na\r\n" + EMPTY, 400),
    ("F8 bare LF", T + b"1\na\r\n" + EMPTY, 400),
    ("F8 nothing", T + b"\r\na\r\n" + EMPTY, 400),
    ("F9 XX", T + b"1\r\naXX" + EMPTY, 400),
    ("F9 LF", T + b"1\r\na\n" + EMPTY, 400),
    ("F9 last chunk", T + b"0\r\n\n", 400),
    ("F9 missing", T + b"1\r\na" + EMPTY, 400),
    ("F10 length", T + b"0\r\nContent-Length: 5\r\n\r\n", 400),
    ("F10 coding", T + b"0\r\n" + CHUNKED + b"\r\n", 400),
    ("F10 host", T + b"0\r\nHost: b\r\n\r\n", 400),
    ("F10 authorization", T + b"0\r\nAuthorization: x\r\n\r\n", 400),
    ("F10 LF", T + b"0\r\nX: a\n\r\n", 400),
    ("F10 folded", T + b"0\r\nX: a\r\n b\r\n\r\n", 400),
]

CASES = FRAMING + TARGETS + CHUNKS


def refusal(talk: Talking) -> Answer:
    assert talk.end is End.FIN
    assert talk.logs == []
    assert len(talk.records) == 1
    (only,) = answers(talk)
    assert only.complete
    assert only.headers["connection"] == "close"
    return only


@pytest.mark.parametrize(
    ("data", "status"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
async def test_it_is_refused_however_it_is_split(
    data: bytes, status: int, autojump_clock: trio.testing.MockClock
) -> None:
    for pieces in splits(data):
        served = Served()
        talk = await say(served, *pieces[:-1], pieces[-1] + SMUGGLED)
        assert refusal(talk).status == status, pieces
        assert "/smuggled" not in served.paths


LONG = [
    ("F7 257 byte line", T + b"1;" + b"a" * 253 + b"\r\na\r\n" + EMPTY, 400),
    ("F7 10 KB of filler", T + b"1;" + b"a" * 10_000, 400),
    (
        "F7 5 KiB of extensions",
        T + (b"1;" + b"x" * 249 + b"\r\na\r\n") * 20 + EMPTY,
        400,
    ),
    ("F10 5 KiB of trailers", T + b"0\r\n" + b"X: aaaa\r\n" * 600 + b"\r\n", 431),
    ("F10 one line of 5 KiB", T + b"0\r\nX: " + b"a" * 5120 + b"\r\n\r\n", 431),
    ("F10 33 trailers", T + b"0\r\n" + b"X: a\r\n" * 33 + b"\r\n", 431),
    ("F3 more than is taken", P + b"Content-Length: 1048577\r\n\r\n", 413),
    ("L1 target", b"GET /" + b"a" * 8192 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
    ("L1 endless", b"GET /" + b"a" * 20_000, 414),
    ("L1 control byte in front", b"G\0T /" + b"a" * 10_000, 400),
    ("L2 101 fields", G + b"X: a\r\n" * 100 + b"\r\n", 431),
    ("L2 33 KiB", G + b"X: " + b"a" * 33 * 1024 + b"\r\n\r\n", 431),
    ("L2 no end", G + b"a:\r\n" * 9_000, 431),
    (
        "L2 control byte in front",
        G + b"X: \1\r\nX: " + b"a" * 40_000 + b"\r\n\r\n",
        400,
    ),
    ("L3 declared", P + b"Content-Length: 1048577\r\n\r\n", 413),
    ("L4 tiny chunks", T + b"1\r\na\r\n" * 4000, 400),
]


@pytest.mark.parametrize(
    ("data", "status"), [case[1:] for case in LONG], ids=[case[0] for case in LONG]
)
async def test_what_is_too_long_is_refused_however_it_is_split(
    data: bytes, status: int, autojump_clock: trio.testing.MockClock
) -> None:
    by_thousands = [data[at : at + 1000] for at in range(0, len(data), 1000)]
    by_bytes = [data[at : at + 1] for at in range(len(data))]
    for pieces in ([data], by_thousands, by_bytes):
        served = Served()
        talk = await say(served, *pieces, SMUGGLED)
        assert refusal(talk).status == status
        assert served.paths in ([], ["/"])


async def test_l3_a_chunked_body_is_counted_as_it_comes(
    autojump_clock: trio.testing.MockClock,
) -> None:
    chunk = b"10000\r\n" + bytes(0x10000) + b"\r\n"
    talk = await say(Served(), T, *[chunk] * 17)
    assert refusal(talk).status == 413
    assert talk.records[0].received <= (1 << 20) + 0x10000


async def test_l6_more_than_1000_parameters_are_refused(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def counted(request: Request) -> Response:
        return Response(200, body=b"%d" % len(request.query))

    talk = await say(counted, asked(b"GET /?" + b"a&" * 1001 + b" HTTP/1.1"))
    assert refusal(talk).status == 400


async def test_l6_more_than_100_cookies_are_refused(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def counted(request: Request) -> Response:
        return Response(200, body=b"%d" % len(request.cookies))

    # 431 is an answer like any other: the framing was in order.
    crumbs = G + b"Cookie: a=1" + b"; a=1" * 100 + b"\r\n\r\n"
    talk = await say(counted, crumbs)
    assert [got.status for got in answers(talk)] == [431]
    assert talk.logs == []
