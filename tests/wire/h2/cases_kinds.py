"""What RFC 9113 requires of a server, section 6: each kind of frame."""

from __future__ import annotations

from tests.wire.h2.cases import OK, PROTOCOL, PROTOCOL_1, SIZE, case
from tests.wire.h2.written import (
    END,
    LAST_OF_BLOCK,
    data,
    get,
    head,
    post,
    rst,
    settings,
    window,
)
from trioweb.wire.h2_codes import Flag, Kind, Setting, frame

HEAD = head()
PAD = Flag.PADDED

KINDS = (
    case("6.1 DATA of no stream", data(0, b"a"), PROTOCOL),
    case("6.1 padding", post(1) + data(1, b"\3abc\0\0\0", PAD | END), "1: 200 abc"),
    case(
        "6.1 padding that is not zero",
        post(1) + data(1, b"\3abc\1\2\3", PAD | END),
        "1: 200 abc",
    ),
    case(
        "6.1 nothing but padding",
        post(1) + data(1, b"\1\0", PAD) + data(1, b"a", END),
        "1: 200 a",
    ),
    case(
        "6.1 padding longer than the frame",
        post(1) + data(1, b"\4abc", PAD),
        PROTOCOL_1,
    ),
    case("6.2 HEADERS of no stream", get(0), PROTOCOL),
    case("6.2 padding", frame(Kind.HEADERS, 1, b"\2" + HEAD + b"\0\0", PAD | 5), OK),
    case(
        "6.2 padding and priority",
        frame(Kind.HEADERS, 1, b"\2" + bytes(5) + HEAD + b"\0\0", PAD | 0x25),
        OK,
    ),
    case(
        "6.2 padding longer than the frame",
        frame(Kind.HEADERS, 1, b"\xff" + HEAD, PAD | 5),
        PROTOCOL,
    ),
    case("6.3 PRIORITY of no stream", frame(Kind.PRIORITY, 0, bytes(5)), PROTOCOL),
    case(
        "6.3 PRIORITY in any state",
        frame(Kind.PRIORITY, 1, b"\0\0\0\3\0")
        + get(1)
        + frame(Kind.PRIORITY, 1, bytes(5)),
        OK,
    ),
    case(
        "5.3 M7 a stream that depends on itself",
        frame(Kind.PRIORITY, 1, b"\0\0\0\1\0") + get(1),
        OK,
    ),
    case(
        "7540 5.3.1 M7 a request that depends on itself",
        frame(Kind.HEADERS, 1, b"\0\0\0\1\0" + HEAD, 0x25),
        PROTOCOL_1,
    ),
    case("6.4 RST_STREAM of no stream", rst(0), PROTOCOL),
    case("6.4 RST_STREAM of an idle stream", rst(1), PROTOCOL),
    case("5.4.2 RST_STREAM is not answered", post(1) + rst(1)),
    case(
        "6.4 an unknown code",
        post(1) + frame(Kind.RST_STREAM, 1, b"\0\0\1\0") + get(3),
        "3: 200 ok",
    ),
    case("6.5 SETTINGS of a stream", frame(Kind.SETTINGS, 1), PROTOCOL),
    case(
        "6.5 an acknowledgement that says something",
        frame(Kind.SETTINGS, 0, bytes(6), 1),
        SIZE,
    ),
    case(
        "6.5.3 each is acknowledged",
        settings() + settings((Setting.MAX_CONCURRENT_STREAMS, 0)),
        "SETTINGS ack",
        "SETTINGS ack",
    ),
    case(
        "6.5.2 an unknown setting",
        settings((0xFF, 1), (0x0, 2**32 - 1)),
        "SETTINGS ack",
    ),
    case(
        "6.5.2 push is neither on nor off", settings((Setting.ENABLE_PUSH, 2)), PROTOCOL
    ),
    case(
        "6.5.2 a window of 2^31",
        settings((Setting.INITIAL_WINDOW_SIZE, 2**31)),
        "GOAWAY 0 FLOW_CONTROL_ERROR",
    ),
    case(
        "6.5.2 frames too small",
        settings((Setting.MAX_FRAME_SIZE, 2**14 - 1)),
        PROTOCOL,
    ),
    case("6.5.2 frames too large", settings((Setting.MAX_FRAME_SIZE, 2**24)), PROTOCOL),
    case(
        "6.5.3 the last of a kind counts",
        settings((Setting.INITIAL_WINDOW_SIZE, 0), (Setting.INITIAL_WINDOW_SIZE, 1))
        + get(1),
        "SETTINGS ack",
        "1: 200 o…",
    ),
    case(
        "6.6 8.4 PUSH_PROMISE of a client",
        frame(Kind.PUSH_PROMISE, 1, b"\0\0\0\2" + HEAD, LAST_OF_BLOCK),
        PROTOCOL,
    ),
    case(
        "6.7 PING is answered with what it says",
        frame(Kind.PING, 0, b"12345678"),
        "PING ack 3132333435363738",
    ),
    case("6.7 an answer is not answered", frame(Kind.PING, 0, bytes(8), Flag.ACK)),
    case("6.7 PING of a stream", frame(Kind.PING, 1, bytes(8)), PROTOCOL),
    case("6.8 GOAWAY of a stream", frame(Kind.GOAWAY, 1, bytes(8)), PROTOCOL),
    case(
        "6.8 M13 GOAWAY behind a request",
        get(1) + frame(Kind.GOAWAY, 0, bytes(8)),
        OK,
        "GOAWAY 1 NO_ERROR",
    ),
    case(
        "6.9 a window opened by nothing",
        post(1) + window(1, 0) + get(3),
        "1: … RST PROTOCOL_ERROR",
        "3: 200 ok",
    ),
    case("6.9 the connection's window opened by nothing", window(0, 0), PROTOCOL),
    case("6.9 a window of an idle stream", window(1, 1), PROTOCOL),
    case(
        "6.9 the reserved bit is ignored", post(1, path=b"/wait") + window(1, 2**31 + 1)
    ),
    case(
        "6.9.1 M2 a window above 2^31-1",
        post(1) + window(1, 2**31 - 1) + get(3),
        "1: … RST FLOW_CONTROL_ERROR",
        "3: 200 ok",
    ),
    case(
        "6.9.1 as much as a stream's window has",
        post(1) + data(1, bytes(16384)) * 3 + data(1, bytes(16383)) + rst(1),
    ),
    case(
        "6.9.1 more than a stream's window has",
        post(1, path=b"/wait") + data(1, bytes(16384)) * 4,
        "GOAWAY 1 FLOW_CONTROL_ERROR",
    ),
    case(
        "6.9.1 M23 the connection's above 2^31-1",
        window(0, 2**31 - 1),
        "GOAWAY 0 FLOW_CONTROL_ERROR",
    ),
    case(
        "6.9.2 all windows changed above 2^31-1",
        post(1, path=b"/wait")
        + window(1, 2**31 - 1 - 65_535)
        + settings((Setting.INITIAL_WINDOW_SIZE, 65_536)),
        "GOAWAY 1 FLOW_CONTROL_ERROR",
    ),
    case(
        "6.9.2 a window that was changed",
        settings((Setting.INITIAL_WINDOW_SIZE, 1))
        + get(1)
        + settings((Setting.INITIAL_WINDOW_SIZE, 2)),
        "SETTINGS ack",
        OK,
        "SETTINGS ack",
    ),
    case(
        "6.9.2 one that is opened",
        settings((Setting.INITIAL_WINDOW_SIZE, 0)) + get(1) + window(1, 1),
        "SETTINGS ack",
        "1: 200 o…",
    ),
    case(
        "6.9.2 one that becomes negative",
        settings((Setting.INITIAL_WINDOW_SIZE, 1))
        + get(1)
        + settings((Setting.INITIAL_WINDOW_SIZE, 0))
        + window(1, 1),
        "SETTINGS ack",
        "1: 200 o…",
        "SETTINGS ack",
    ),
)
