"""What RFC 9113 requires of a server, section 4.3: blocks of fields."""

from __future__ import annotations

from tests.wire.h2.cases import OK, PROTOCOL, PROTOCOL_1, case
from tests.wire.h2.written import (
    END,
    LAST_OF_BLOCK,
    PING,
    UNKNOWN,
    data,
    get,
    head,
)
from trioweb.wire.h2_codes import Kind, frame


def continued(*pieces: bytes, stream: int = 1) -> bytes:
    """HEADERS and CONTINUATION of which the last does not end the block."""
    first, *more = pieces
    return frame(Kind.HEADERS, stream, first, END) + b"".join(
        frame(Kind.CONTINUATION, stream, piece) for piece in more
    )


def ended(rest: bytes, stream: int = 1) -> bytes:
    return frame(Kind.CONTINUATION, stream, rest, LAST_OF_BLOCK)


def compressed(block: bytes) -> bytes:
    return frame(Kind.HEADERS, 1, block, END | LAST_OF_BLOCK)


HEAD = head()
COMPRESSION = "GOAWAY 0 COMPRESSION_ERROR"
# x: 1, to be remembered; and what was remembered last.
REMEMBER, REMEMBERED = b"\x40\1x\1\x31", b"\xbe"

BLOCKS = (
    case(
        "4.3 a block in three frames",
        continued(HEAD[:5], HEAD[5:9]) + ended(HEAD[9:]),
        OK,
    ),
    case(
        "4.3 a block cut anywhere", continued(b"", HEAD[:1], b"") + ended(HEAD[1:]), OK
    ),
    case("4.3 an empty end", continued(HEAD) + ended(b""), OK),
    case("4.3 PING within a block", continued(HEAD) + PING, PROTOCOL),
    case(
        "4.3 5.5 an unknown frame within a block", continued(HEAD) + UNKNOWN, PROTOCOL
    ),
    case(
        "4.3 PRIORITY within a block",
        continued(HEAD) + frame(Kind.PRIORITY, 1, bytes(5)),
        PROTOCOL,
    ),
    case(
        "4.3 GOAWAY within a block",
        continued(HEAD) + frame(Kind.GOAWAY, 0, bytes(8)),
        PROTOCOL,
    ),
    case("4.3 another block within a block", continued(HEAD) + get(3), PROTOCOL),
    case("4.3 DATA within a block", continued(HEAD) + data(1), PROTOCOL),
    case(
        "6.10 a block goes on in another stream",
        continued(HEAD) + ended(b"", 3),
        PROTOCOL,
    ),
    case("6.10 CONTINUATION of nothing", ended(HEAD), PROTOCOL),
    case(
        "6.10 CONTINUATION of a block that has ended",
        get(1, path=b"/wait") + ended(b""),
        PROTOCOL_1,
    ),
    case("6.10 CONTINUATION of no stream", ended(HEAD, 0), PROTOCOL),
    case(
        "6.10 M3 nine CONTINUATIONs",
        continued(*[b""] * 10),
        "GOAWAY 0 ENHANCE_YOUR_CALM",
    ),
    case("4.3.1 a table made smaller", compressed(b"\x20" + HEAD), OK),
    case(
        "4.3.1 a table made too large", compressed(b"\x3f\xe2\x1f" + HEAD), COMPRESSION
    ),
    case(
        "7541 4.2 a table made smaller too late",
        compressed(HEAD + b"\x20"),
        COMPRESSION,
    ),
    case("7541 6.1 index 0", compressed(b"\x80"), COMPRESSION),
    case("7541 2.3.3 an index of nothing", compressed(b"\xff\0" + HEAD), COMPRESSION),
    case("7541 5.1 an endless number", compressed(b"\xff" + b"\xff" * 20), COMPRESSION),
    case("7541 5.2 a string cut short", compressed(HEAD[:-1]), COMPRESSION),
    case(
        "7541 5.2 Huffman's code with an end in it",
        compressed(b"\0\x84\xff\xff\xff\xff\0"),
        COMPRESSION,
    ),
    case(
        "4.3 fields are remembered",
        compressed(HEAD + REMEMBER) + frame(Kind.HEADERS, 3, HEAD + REMEMBERED, 5),
        OK,
        "3: 200 ok",
    ),
    case(
        "4.3 M11 those of a malformed request too",
        compressed(b"\0\1X\0" + HEAD + REMEMBER)
        + frame(Kind.HEADERS, 3, HEAD + REMEMBERED, 5),
        "1: … RST PROTOCOL_ERROR",
        "3: 200 ok",
    ),
)
