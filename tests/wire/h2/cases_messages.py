"""What RFC 9113 requires of a server, section 8: messages."""

from __future__ import annotations

from tests.rules.test_pseudo import MALFORMED as MALFORMED_BLOCKS
from tests.wire.h2.cases import OK, Case, case
from tests.wire.h2.written import (
    END,
    LAST_OF_BLOCK,
    data,
    get,
    head,
    pack,
    post,
    trailers,
)
from trioweb.wire.h2_codes import Kind, frame

WAIT = b"/wait"  # the path of a handler that does not answer
CLOSED = "1: … RST STREAM_CLOSED"
MALFORMED = "1: … RST PROTOCOL_ERROR"
OK_3 = "3: 200 ok"


def length(value: bytes) -> tuple[bytes, bytes]:
    return b"content-length", value


X = (b"x", b"1")

MESSAGES = (
    case(
        "8.1 content in pieces",
        post(1) + data(1, b"ab") + data(1) + data(1, b"c", END),
        "1: 200 abc",
    ),
    case("8.1 content without an end", post(1) + data(1, b"ab")),
    case("8.1 trailers", post(1) + data(1, b"ab") + trailers(1, X), "1: 200 ab"),
    case("8.1 trailers alone", post(1) + trailers(1), OK),
    case(
        "8.1 trailers that end nothing",
        post(1) + trailers(1, flags=0) + get(3),
        MALFORMED,
        OK_3,
    ),
    case(
        "8.1 trailers with a pseudo-header field",
        post(1) + trailers(1, (b":path", b"/")) + get(3),
        MALFORMED,
        OK_3,
    ),
    case("8.1 trailers in upper case", post(1) + trailers(1, (b"X", b"")), MALFORMED),
    case(
        "8.1 content behind trailers",
        post(1, path=WAIT) + trailers(1) + data(1, b"a"),
        CLOSED,
    ),
    case(
        "8.1 M12 a good request before a bad one",
        get(1) + get(3, (b"Foo", b"x")),
        OK,
        "3: … RST PROTOCOL_ERROR",
    ),
    case(
        "8.1.1 M11 a bad request between good ones",
        post(1) + get(3, (b"Foo", b"x")) + data(1, b"a", END) + get(5),
        "1: 200 a",
        "3: … RST PROTOCOL_ERROR",
        "5: 200 ok",
    ),
    case(
        "8.1.1 M16 content as long as it says",
        post(1, length(b"3")) + data(1, b"ab") + data(1, b"c", END),
        "1: 200 abc",
    ),
    case(
        "8.1.1 M16 content that ends early",
        post(1, length(b"3")) + data(1, b"ab", END) + get(3),
        MALFORMED,
        OK_3,
    ),
    case(
        "8.1.1 M16 content that goes on",
        post(1, length(b"3")) + data(1, b"abcd") + get(3),
        MALFORMED,
        OK_3,
    ),
    case(
        "8.1.1 M16 content that is declared and does not come",
        get(1, length(b"5")) + get(3),
        MALFORMED,
        OK_3,
    ),
    case("8.1.1 M16 none declared, none sent", get(1, length(b"0")), OK),
    case(
        "8.1.1 M16 trailers too early",
        post(1, length(b"3")) + data(1, b"ab") + trailers(1, X),
        MALFORMED,
    ),
    case(
        "8.1.1 M16 a length among the trailers",
        post(1) + trailers(1, length(b"0")),
        MALFORMED,
    ),
    case(
        "9110 9.3.2 HEAD",
        frame(Kind.HEADERS, 1, head(method=b"HEAD"), END | LAST_OF_BLOCK),
        "1: 200",
    ),
    case(
        "9110 10.1.1 who waits for it", post(1, (b"expect", b"100-continue")), "1: 100…"
    ),
    case("9110 5.4 L2 a hundred fields", get(1, *[X] * 99), OK),
    case("9110 5.4 L2 one field more", get(1, *[X] * 100), "1: 431"),
    case("9110 5.4 L2 33 trailers", post(1) + trailers(1, *[X] * 33), MALFORMED),
    case(
        "8.2.2 M15 a field about the connection",
        get(1, (b"connection", b"close")) + get(3),
        MALFORMED,
        OK_3,
    ),
    case(
        "8.2.3 M17 crumbs",
        get(1, (b"cookie", b"a=1"), (b"cookie", b"b=2"), path=b"/"),
        OK,
    ),
    case("8.3.1 H6 a path that names nothing", get(1, path=b"/%zz"), "1: 400"),
    case(
        "8.5 CONNECT",
        frame(Kind.HEADERS, 1, b"\0\7:method\7CONNECT\0\x0a:authority\3a:1", 5),
        "1: 501",
    ),
)


def of_fields(name: str, fields: list[tuple[bytes, bytes]]) -> Case:
    """A block that is no request, between two that are."""
    flags = END | LAST_OF_BLOCK
    bad = frame(Kind.HEADERS, 3, pack(fields), flags)
    return case(f"9113 {name}", get(1) + bad + get(5), OK, RST_3, "5: 200 ok")


RST_3 = "3: … RST PROTOCOL_ERROR"

FIELDS = tuple(of_fields(name, fields) for name, fields in MALFORMED_BLOCKS)
