"""The gate of HTTP/2: frames are the same, or refused, however they are split."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.h2.written import LAST, PING, UNKNOWN
from trioweb.wire.h2_codes import Code, Flag, Kind, frame
from trioweb.wire.h2_gate import (
    BLOCK,
    CONTINUATIONS,
    FRAME,
    Frame,
    FrameFault,
    Frames,
)

CALM = Code.ENHANCE_YOUR_CALM
SIZE = Code.FRAME_SIZE_ERROR
PROTOCOL = Code.PROTOCOL_ERROR


def greeted() -> Frames:
    """Frames of a peer that has sent its settings."""
    frames = Frames()
    assert len(list(frames.feed(frame(Kind.SETTINGS, 0)))) == 1
    return frames


def taken(data: bytes, step: int) -> tuple[list[Frame], Code | None]:
    """The frames in *data*, come in pieces of *step* bytes; and the fault, if any."""
    frames, found = greeted(), list[Frame]()
    try:
        for at in range(0, len(data), step):
            for one in frames.feed(data[at : at + step]):
                found.append(one)  # those before a fault count
    except FrameFault as fault:
        return found, fault.code
    return found, None


some_frames = st.lists(
    st.builds(
        frame,
        st.sampled_from(sorted(set(Kind) - {Kind.WINDOW_UPDATE})),
        st.integers(0, 2**31 - 1),
        st.binary(max_size=30),
        st.integers(0, 255),
    ),
    max_size=5,
)


@given(some_frames, st.integers(1, 40))
def test_frames_are_the_same_however_they_are_split(
    frames: list[bytes], step: int
) -> None:
    data = b"".join(frames)
    found, fault = taken(data, step)
    assert (found, fault) == taken(data, 1000)
    assert [one.raw for one in found] == frames[: len(found)]
    assert (fault is None) == (len(found) == len(frames))
    for one in found:
        again = frame(Kind(one.kind), one.stream, one.raw[9:], one.flags)
        assert again == one.raw


def test_the_reserved_bit_is_ignored() -> None:
    ((update,), _) = taken(b"\0\0\4\x08\0\0\0\0\1\xff\xff\xff\xff", 5)
    assert update.raw == frame(Kind.WINDOW_UPDATE, 1, b"\x7f\xff\xff\xff")
    raw = b"\0\0\0\x04\x01\x80\0\0\0"
    assert taken(raw, 1) == ([Frame(Kind.SETTINGS, 1, 0, raw)], None)


def test_m12_frames_before_a_fault_still_count() -> None:
    good = frame(Kind.PING, 0, bytes(8))
    for step in (1, 7, 1000):
        found, fault = taken(good + good + b"\xff\xff\xff\0\0\0\0\0\1", step)
        assert [one.raw for one in found] == [good, good]
        assert fault is Code.FRAME_SIZE_ERROR


def test_m22_a_huge_frame_is_refused_on_its_header() -> None:
    allowed = frame(Kind.DATA, 1, bytes(FRAME))
    assert taken(allowed, 4096) == ([Frame(Kind.DATA, 0, 1, allowed)], None)
    for size in (FRAME + 1, 2**24 - 1):
        head = size.to_bytes(3, "big") + b"\0\0\0\0\0\1"
        assert taken(head[:8], 1) == ([], None)
        assert taken(head, 1) == ([], Code.FRAME_SIZE_ERROR)


# id, frames of which the last is at fault, and what its fault is
BROKEN: list[tuple[str, bytes, Code]] = [
    ("4.2 SETTINGS", frame(Kind.SETTINGS, 0, bytes(5)), SIZE),
    ("4.2 SETTINGS acknowledged", frame(Kind.SETTINGS, 0, bytes(6), 1), SIZE),
    ("4.2 PING", frame(Kind.PING, 0, bytes(7)), SIZE),
    ("4.2 RST_STREAM", frame(Kind.RST_STREAM, 1, bytes(5)), SIZE),
    ("4.2 WINDOW_UPDATE", frame(Kind.WINDOW_UPDATE, 0, bytes(3)), SIZE),
    ("4.2 PRIORITY", frame(Kind.PRIORITY, 1, bytes(4)), SIZE),
    ("4.2 GOAWAY", frame(Kind.GOAWAY, 0, bytes(7)), SIZE),
    ("6.5 SETTINGS of a stream", frame(Kind.SETTINGS, 1), PROTOCOL),
    ("6.7 PING of a stream", frame(Kind.PING, 1, bytes(8)), PROTOCOL),
    ("6.8 GOAWAY of a stream", frame(Kind.GOAWAY, 1, bytes(8)), PROTOCOL),
    ("6.1 DATA of none", frame(Kind.DATA, 0), PROTOCOL),
    ("6.2 HEADERS of none", frame(Kind.HEADERS, 0), PROTOCOL),
    ("6.3 PRIORITY of none", frame(Kind.PRIORITY, 0, bytes(5)), PROTOCOL),
    ("6.4 RST_STREAM of none", frame(Kind.RST_STREAM, 0, bytes(4)), PROTOCOL),
    ("6.10 CONTINUATION of none", frame(Kind.CONTINUATION, 0), PROTOCOL),
    ("6.10 CONTINUATION of nothing", frame(Kind.CONTINUATION, 1), PROTOCOL),
]


@pytest.mark.parametrize(
    ("data", "code"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN]
)
def test_what_can_have_no_meaning_is_refused_on_its_header(
    data: bytes, code: Code
) -> None:
    assert taken(data, 1000) == ([], code)
    assert taken(data[:9], 1) == ([], code)


@pytest.mark.parametrize("first", [PING, frame(Kind.SETTINGS, 0, b"", Flag.ACK)])
def test_settings_come_first(first: bytes) -> None:
    with pytest.raises(FrameFault):
        list(Frames().feed(first))


@pytest.mark.parametrize(
    "second", [PING, frame(Kind.CONTINUATION, 3), UNKNOWN, frame(Kind.HEADERS, 1)]
)
def test_nothing_comes_between_the_frames_of_a_block(second: bytes) -> None:
    found, code = taken(frame(Kind.HEADERS, 1) + second, 1)
    assert (len(found), code) == (1, PROTOCOL)


def block(*sizes: int) -> bytes:
    """HEADERS without an end, and a CONTINUATION for each further size."""
    first, *more = sizes
    return frame(Kind.HEADERS, 1, bytes(first)) + b"".join(
        frame(Kind.CONTINUATION, 1, bytes(size)) for size in more
    )


BLOCKS: list[tuple[str, bytes, int, Code | None]] = [
    ("M3 eight continuations", block(*[1] * 9), 9, None),
    ("M3 nine continuations", block(*[1] * 10), 9, CALM),
    ("M3 nine empty ones", block(*[0] * 10), 9, CALM),
    ("M3 twice eight", (block(*[1] * 8) + LAST) * 2, 18, None),
    ("M3 32 KiB", block(FRAME, FRAME), 2, None),
    ("M3 more than 32 KiB", block(FRAME, FRAME, 1), 2, CALM),
    ("M3 refused before it comes", block(FRAME, FRAME - 1, 1, 2)[:-2], 3, CALM),
]


@pytest.mark.parametrize(
    ("data", "frames", "code"),
    [case[1:] for case in BLOCKS],
    ids=[case[0] for case in BLOCKS],
)
def test_m3_a_block_of_fields_is_bounded(
    data: bytes, frames: int, code: Code | None
) -> None:
    for step in (1000, len(data)):
        found, fault = taken(data, step)
        assert (len(found), fault) == (frames, code)
    assert CONTINUATIONS * FRAME > BLOCK
