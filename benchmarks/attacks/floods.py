"""Attacks that flood: few peers, each of which does something costly over and over."""

from __future__ import annotations

import contextlib
import re

import trio

from benchmarks.attacks.ground import Ground, Line
from benchmarks.attacks.tally import LEFT, WRONG

# Seconds an answer may take under a flood.
PATIENCE = 10.0

# Requests sent at once on one connection: more than a server reads in one go.
PIPELINED = 1000

# One-byte chunks: twice what the server's budget of 16 KiB for their framing allows.
TINY_CHUNKS = 32 * 1024 // 6

# Bytes of a chunk-size line that goes on and on.
FILLER = 60_000

# Bytes of an upload that are sent at one go, and seconds until the next: 5 Mbit/s.  All
# at once would be in the socket's buffer before the next peer has said anything.
UPLOADED = 64 * 1024
UPLOADING = 0.1

_CHUNKED = b"POST /upload HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"
_UPLOAD = (
    b"POST /body HTTP/1.1\r\nhost: a\r\nconnection: close\r\n"
    b"content-length: 1048576\r\n\r\n" + bytes(1024 * 1024)
)
_GET = b"GET / HTTP/1.1\r\nhost: a\r\n"
_NUMBER = re.compile(rb"\r\n\r\n(\d{6})")


async def connect_close(ground: Ground) -> None:
    """Connect, and go at once: in order, or by a reset."""
    async with ground.connect() as line:
        line.ending = LEFT
        if ground.chance.random() < 0.5:
            line.abort()


async def pipelining(ground: Ground) -> None:
    """A thousand requests at once; each must be answered, in order."""
    async with ground.connect() as line:
        await line.send(
            b"".join(
                b"GET /number/%06d HTTP/1.1\r\nhost: a\r\n\r\n" % number
                for number in range(PIPELINED)
            )
        )
        line.finish()
        numbers = [int(number) for number in _NUMBER.findall(await _all(line))]
        ground.tally.exchanges += len(numbers)
        line.ending = LEFT if numbers == list(range(PIPELINED)) else WRONG


async def tiny_chunks(ground: Ground) -> None:
    """A body in chunks of one byte."""
    async with ground.connect() as line:
        await line.send(_CHUNKED + b"1\r\na\r\n" * TINY_CHUNKS)
        await line.ended(PATIENCE)


async def long_chunk_line(ground: Ground) -> None:
    """A chunk size that is followed by an endless extension."""
    async with ground.connect() as line:
        await line.send(_CHUNKED + b"1;" + b"a" * FILLER)
        await line.ended(PATIENCE)


async def many_fields(ground: Ground) -> None:
    """A head of 101 fields, or one of 33 KiB."""
    fields = b"".join(b"x-%d: a\r\n" % number for number in range(100))
    if ground.chance.random() < 0.5:
        fields = b"x: " + b"a" * (33 * 1024) + b"\r\n"
    async with ground.connect() as line:
        await line.send(_GET + fields + b"\r\n")
        await line.ended(PATIENCE)


async def uploads(ground: Ground) -> None:
    """A body of 1 MiB, until an answer says that it has come or is not wanted."""
    async with ground.connect() as line, trio.open_nursery() as sending:
        sending.start_soon(_pour, line)
        await line.told()
        sending.cancel_scope.cancel(reason="it has its answer")


async def _pour(line: Line) -> None:
    # Whoever refuses a body closes before it has come.
    with contextlib.suppress(ConnectionError):
        for start in range(0, len(_UPLOAD), UPLOADED):
            await line.send(_UPLOAD[start : start + UPLOADED])
            await trio.sleep(UPLOADING)


async def _all(line: Line) -> bytes:
    answers = bytearray()
    while piece := await line.receive():
        answers += piece
    return bytes(answers)
