"""What RFC 9113 requires of a server, sections 3 and 4: connections and frames."""

from __future__ import annotations

from dataclasses import dataclass

from tests.wire.h2.written import (
    LAST_OF_BLOCK,
    PING,
    UNKNOWN,
    data,
    get,
    post,
    settings,
)
from trioweb.wire.h2_codes import Flag, Kind, frame

# What a case begins with unless it says otherwise; its acknowledgement is not noted.
GREETING = settings()


@dataclass(frozen=True, slots=True)
class Case:
    """What a peer sends behind its preface, and what it is told besides settings."""

    name: str  # begins with the section
    sent: bytes
    said: tuple[str, ...]
    greeting: bytes = GREETING


def case(name: str, sent: bytes, *said: str) -> Case:
    return Case(name, sent, said)


PROTOCOL = "GOAWAY 0 PROTOCOL_ERROR"
PROTOCOL_1 = "GOAWAY 1 PROTOCOL_ERROR"
SIZE = "GOAWAY 0 FRAME_SIZE_ERROR"
SIZE_1 = "GOAWAY 1 FRAME_SIZE_ERROR"
OK = "1: 200 ok"

CONNECTIONS = (
    case("3.4 settings alone", b""),
    case("3.4 a request at once", get(1), OK),
    Case("3.4 another frame than SETTINGS", get(1), (PROTOCOL,), PING),
    Case(
        "3.4 an acknowledgement first",
        b"",
        (PROTOCOL,),
        frame(Kind.SETTINGS, 0, b"", 1),
    ),
    Case(
        "3.4 SETTINGS that are malformed", b"", (SIZE,), frame(Kind.SETTINGS, 0, b"a")
    ),
)

FRAMES = (
    case(
        "4.1 unknown kinds are ignored",
        UNKNOWN + get(1) + b"\0\0\3\xef\xff\0\0\0\1abc",
        OK,
    ),
    case(
        "4.1 unknown flags are ignored",
        frame(Kind.PING, 0, bytes(8), 0xFE),
        "PING ack 0000000000000000",
    ),
    case("4.1 the reserved bit is ignored", get(2**31 + 1), OK),
    case(
        "4.2 a frame of 16 384 bytes",
        b"\0\x40\0\xee\0\0\0\0\0" + bytes(16_384) + get(1),
        OK,
    ),
    case("4.2 a frame of one byte more", b"\0\x40\1\0\0\0\0\0\1", SIZE),
    case("4.2 M22 a frame of 16 MiB", b"\xff\xff\xff\0\0\0\0\0\1", SIZE),
    case("4.2 SETTINGS of 5 bytes", frame(Kind.SETTINGS, 0, bytes(5)), SIZE),
    case("4.2 PING of 9 bytes", frame(Kind.PING, 0, bytes(9)), SIZE),
    case(
        "4.2 RST_STREAM of 3 bytes",
        post(1) + frame(Kind.RST_STREAM, 1, bytes(3)),
        SIZE_1,
    ),
    case("4.2 WINDOW_UPDATE of 5 bytes", frame(Kind.WINDOW_UPDATE, 0, bytes(5)), SIZE),
    case("4.2 PRIORITY of 6 bytes", frame(Kind.PRIORITY, 1, bytes(6)), SIZE),
    case("4.2 GOAWAY of 7 bytes", frame(Kind.GOAWAY, 0, bytes(7)), SIZE),
    case(
        "4.2 HEADERS too short for its priority",
        frame(Kind.HEADERS, 1, bytes(4), Flag.PRIORITY | LAST_OF_BLOCK),
        SIZE,
    ),
    case(
        "4.2 DATA too short for its padding",
        post(1) + data(1, b"", Flag.PADDED),
        SIZE_1,
    ),
)
