"""What RFC 9113 requires of a server, section 5: streams."""

from __future__ import annotations

from tests.wire.h2.cases import OK, PROTOCOL, case
from tests.wire.h2.written import (
    data,
    get,
    post,
    rst,
    trailers,
    window,
)

WAIT = b"/wait"  # the path of a handler that does not answer
CLOSED = "1: … RST STREAM_CLOSED"
MALFORMED = "1: … RST PROTOCOL_ERROR"
OK_3 = "3: 200 ok"

STREAMS = (
    case("5.1 DATA of an idle stream", data(1, b"a"), PROTOCOL),
    case(
        "5.1 DATA of a stream that is half closed",
        get(1, path=WAIT) + data(1, b"a") + get(3),
        CLOSED,
        OK_3,
    ),
    case(
        "5.1 HEADERS of a stream that is half closed",
        get(1, path=WAIT) + trailers(1) + get(3),
        CLOSED,
        OK_3,
    ),
    case(
        "5.1 WINDOW_UPDATE of a stream that is half closed",
        get(1, path=WAIT) + window(1, 1),
    ),
    case(
        "5.1 RST_STREAM of a stream that is half closed",
        get(1, path=WAIT) + rst(1) + get(3),
        OK_3,
    ),
    case(
        "5.1 DATA of a stream that was reset",
        post(1, path=WAIT) + rst(1) + data(1, b"a"),
        CLOSED,
    ),
    case(
        "5.1 HEADERS of a stream that was reset",
        post(1, path=WAIT) + rst(1) + trailers(1),
        CLOSED,
    ),
    case(
        "5.1 WINDOW_UPDATE of a stream that is closed",
        get(1) + window(1, 1) + get(3),
        OK,
        OK_3,
    ),
    case(
        "5.1 RST_STREAM of a stream that is closed",
        get(1, path=WAIT) + rst(1) + rst(1) + get(3),
        OK_3,
    ),
    case("5.1.1 an even stream", get(2), PROTOCOL),
    case(
        "5.1.1 a stream that was passed over",
        get(5, path=WAIT) + get(3),
        "GOAWAY 5 PROTOCOL_ERROR",
    ),
    case(
        "5.1.1 RST_STREAM of one that was passed over",
        get(5) + rst(3) + get(7),
        "5: 200 ok",
        "7: 200 ok",
    ),
    case("5.1.1 M18 the last of all streams", get(2**31 - 1), "2147483647: 200 ok"),
)
