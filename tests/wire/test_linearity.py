"""What a peer may send is judged in time linear in its length."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable

import pytest

from trioweb.message.errors import HTTPError
from trioweb.wire.framing import Chunked
from trioweb.wire.gate import check, find_end
from trioweb.wire.limits import Limits

# So large that only the time an expression takes is a limit.
ENDLESS = Limits(
    request_line=1 << 30,
    head=1 << 30,
    fields=1 << 30,
    chunk_line=1 << 30,
    chunk_extensions=1 << 30,
    chunk_overhead=1 << 30,
    trailers=1 << 30,
    trailer_fields=1 << 30,
)
G = b"GET / HTTP/1.1\r\nHost: a\r\n"


def judge(head: bytes) -> None:
    with contextlib.suppress(HTTPError):
        find_end(bytearray(head), 0, ENDLESS)
    with contextlib.suppress(HTTPError):
        check(head, ENDLESS)


def by_kilobytes(head: bytes) -> None:
    buffer, seen = bytearray(), 0
    for at in range(0, len(head), 1024):
        buffer += head[at : at + 1024]
        with contextlib.suppress(HTTPError):
            find_end(buffer, seen, ENDLESS)
        seen = len(buffer)


def frame(body: bytes) -> None:
    framing, buffer = Chunked(ENDLESS), bytearray(body)
    with contextlib.suppress(HTTPError):
        while framing.take(buffer):
            pass


Judge = Callable[[bytes], None]
CASES: list[tuple[str, Judge, bytes, bytes, bytes]] = [
    ("spaces in the line", judge, b"GET ", b" ", b"\r\n\r\n"),
    ("target", judge, b"GET /", b"a", b"\0 HTTP/1.1\r\n\r\n"),
    ("versions", judge, b"G( /", b" HTTP/1.2", b"x\r\n\r\n"),
    ("spaces in a value", judge, G + b"X:", b" ", b"\1\r\n\r\n"),
    ("tabs after a value", judge, G + b"X: a", b"\t", b"\r\n\r\n"),
    ("colons", judge, G, b":", b"\r\n\r\n"),
    ("name without a colon", judge, G, b"a", b"\r\n\r\n"),
    ("CRs", judge, G + b"X: ", b"\r", b"\r\n\r\n"),
    ("fields", judge, G, b"a:\r\n", b"\r\n"),
    ("dots in a target", judge, b"GET ", b"/..", b" HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("escapes in a target", judge, b"GET /", b"%61", b" HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("no end, in pieces", by_kilobytes, G + b"X: ", b"a", b""),
    ("no line end, in pieces", by_kilobytes, b"", b"a", b""),
    ("filler in a chunk-size line", frame, b"1;", b"a", b""),
    ("filler with an end", frame, b"1;", b"a", b"\0\r\n"),
    ("digits", frame, b"", b"0", b"\r\n"),
    ("tiny chunks", frame, b"", b"1\r\na\r\n", b""),
    ("trailers", frame, b"0\r\n", b"a:\r\n", b"\r\n"),
    ("colons in a trailer", frame, b"0\r\n", b":", b"\r\n\r\n"),
]


def seconds(judge: Judge, data: bytes) -> float:
    best = math.inf
    for _ in range(5):
        start = time.process_time()
        judge(data)
        best = min(best, time.process_time() - start)
    return best


@pytest.mark.parametrize(
    ("judge", "start", "filler", "end"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_four_times_the_bytes_take_about_four_times_the_time(
    judge: Judge, start: bytes, filler: bytes, end: bytes
) -> None:
    size = 60_000 // len(filler)
    once = seconds(judge, start + filler * size + end)
    four_times = seconds(judge, start + filler * size * 4 + end)
    # Below a millisecond the clock says nothing, and there is nothing to complain of.
    assert four_times <= max(6 * once, 0.001)


def by_the_limits(head: bytes) -> None:
    buffer = bytearray(head)
    with contextlib.suppress(HTTPError):
        check(bytes(buffer[: find_end(buffer, 0, Limits())]), Limits())


@pytest.mark.parametrize("fields", [16_000, 7_990], ids=["endless", "just too many"])
def test_l2_a_flood_of_fields_is_refused_without_reading_them(fields: int) -> None:
    assert seconds(by_the_limits, G + b"a:\r\n" * fields + b"\r\n") <= 0.002
