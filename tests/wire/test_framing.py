"""Framing: where a message's content ends, however its bytes arrive."""

from __future__ import annotations

import h11
import hypothesis.strategies as st
import pytest
from hypothesis import given

from trioweb.message.errors import HTTPError
from trioweb.wire.framing import Chunked, Framing, Sized
from trioweb.wire.limits import Limits

LIMITS = Limits()
NEXT = b"GET /next HTTP/1.1\r\n"

# id (RFC 9112), bytes, how many of them belong to the message; or the refusal's status
CHUNKS: list[tuple[str, bytes, int]] = [
    ("7.1 last chunk", b"0\r\n\r\n", 200),
    ("7.1 one", b"1\r\na\r\n0\r\n\r\n", 200),
    ("7.1 hexadecimal", b"aA\r\n" + b"a" * 0xAA + b"\r\n0\r\n\r\n", 200),
    ("7.1 leading zeros", b"01\r\na\r\n0\r\n\r\n", 200),
    ("7.1 16 digits", b"0" * 15 + b"1\r\na\r\n0\r\n\r\n", 200),
    ("7.1 17 digits", b"0" * 16 + b"1\r\na\r\n0\r\n\r\n", 400),
    ("7.1 several zeros", b"000\r\n\r\n", 200),
    ("7.1 line ends as data", b"4\r\n\r\n\r\n\r\n0\r\n\r\n", 200),
    ("7.1.1 extension", b"1;a=b\r\na\r\n0\r\n\r\n", 200),
    ("7.1.1 quoted extension", b'1;a="b;c";d\r\na\r\n0;e\r\n\r\n', 200),
    ("7.1.1 nothing after it", b"1;\r\na\r\n0\r\n\r\n", 200),
    ("7.1.1 bytes above 0x7f", b"1;\xff\r\na\r\n0\r\n\r\n", 200),
    ("7.1.1 line of 256 bytes", b"1;" + b"a" * 252 + b"\r\na\r\n0\r\n\r\n", 200),
    ("7.1.1 line of 257 bytes", b"1;" + b"a" * 253 + b"\r\na\r\n0\r\n\r\n", 400),
    (
        "7.1.1 4 KiB in total",
        (b"1;" + b"a" * 127 + b"\r\na\r\n") * 32 + b"0\r\n\r\n",
        200,
    ),
    ("7.1.1 one more", (b"1;" + b"a" * 127 + b"\r\na\r\n") * 32 + b"0;\r\n\r\n", 400),
    ("7.1.2 trailer", b"0\r\nX: a\r\nY:\r\n\r\n", 200),
    ("7.1.2 32 trailers", b"0\r\n" + b"X: a\r\n" * 32 + b"\r\n", 200),
    ("7.1.2 33 trailers", b"0\r\n" + b"X: a\r\n" * 33 + b"\r\n", 431),
    ("7.1.2 no name", b"0\r\n: a\r\n\r\n", 400),
    ("7.1.2 space in it", b"0\r\nX : a\r\n\r\n", 400),
    ("6.5.1 content-length", b"0\r\ncontent-LENGTH: 1\r\n\r\n", 400),
    ("L4 4094 tiny chunks", b"1\r\na\r\n" * 4094 + b"0\r\n\r\n", 200),
    ("L4 more", b"1\r\na\r\n" * 4097 + b"0\r\n\r\n", 400),
]


def taken(framing: Framing, data: bytes, step: int) -> tuple[bytes, int, bytes]:
    """What was proven in pieces of *step* bytes, the refusal's status, and the rest."""
    buffer, proven, at = bytearray(), b"", 0
    try:
        while framing.at_most() != 0:
            piece = framing.take(buffer)
            proven += piece
            if not piece:
                if at >= len(data):
                    return proven, 0, bytes(buffer)
                buffer += data[at : at + step]
                at += step
    except HTTPError as error:
        return proven, error.status, b""
    return proven, 200, bytes(buffer) + data[at:]


@pytest.mark.parametrize(
    ("data", "status"), [case[1:] for case in CHUNKS], ids=[case[0] for case in CHUNKS]
)
def test_chunks_end_where_they_say(data: bytes, status: int) -> None:
    steps = [1, 2, 3, 7, 255, 256, 257, len(data) + len(NEXT)]
    found = {taken(Chunked(LIMITS), data + NEXT, step) for step in steps}
    assert len(found) == 1
    proven, ended, rest = found.pop()
    assert ended == status
    if status == 200:
        assert (proven, rest) == (data, NEXT)


@pytest.mark.parametrize("step", [1, 2, 5, 100])
def test_declared_content_ends_where_it_was_declared(step: int) -> None:
    assert taken(Sized(5), b"hello" + NEXT, step) == (b"hello", 200, NEXT)


def test_what_is_to_come_is_known_of_declared_content_alone() -> None:
    sized, buffer = Sized(5), bytearray(b"abc")
    assert sized.take(buffer) == b"abc"
    assert (sized.at_most(), bytes(buffer)) == (2, b"")
    chunked, buffer = Chunked(LIMITS), bytearray(b"0\r\n\r\n")
    assert chunked.at_most() is None
    assert chunked.take(buffer) == b"0\r\n\r\n"
    assert chunked.at_most() == 0
    assert chunked.take(bytearray(NEXT)) == b""


def test_what_came_before_a_fault_is_handed_on_first() -> None:
    framing, buffer = Chunked(LIMITS), bytearray(b"1\r\na\r\nzz\r\n")
    assert framing.take(buffer) == b"1\r\na\r\n"
    with pytest.raises(HTTPError, match="chunk-size line"):
        framing.take(buffer)


WHOLES = [b"0\r\n\r\n", b"1\r\na\r\n", b"X: a\r\n", b"Host: b\r\n"]
PARTS = [b"0", b"1", b"2", b"a", b"\r\n", b"\r", b"\n", b";", b" ", b"x", b":"]
PARTS += [b"\0", b"\xff", b"+", b"_", b"0x", *WHOLES]
PIECES = st.sampled_from(PARTS)


@given(st.lists(PIECES, max_size=12).map(b"".join), st.integers(1, 4))
def test_any_split_has_the_same_end_and_h11_takes_what_is_proven(
    data: bytes, step: int
) -> None:
    proven, status, rest = taken(Chunked(LIMITS), data, len(data) or 1)
    assert taken(Chunked(LIMITS), data, step) == (proven, status, rest)
    state = h11.Connection(h11.SERVER)
    state.receive_data(
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + proven
    )
    last: object = None
    while last is not h11.NEED_DATA and not isinstance(last, h11.EndOfMessage):
        last = state.next_event()
    assert isinstance(last, h11.EndOfMessage) == (status == 200)
    assert state.trailing_data == (b"", False) or status != 200
