"""What a WebSocket's peer may send (RFC 6455 section 5): the frames, byte for byte."""

from __future__ import annotations

import math
from itertools import pairwise

import hypothesis
import pytest
from hypothesis import strategies as st
from wsproto.frame_protocol import Frame, FrameProtocol, ParseFailed

from tests.fuzz.targets import cuts
from tests.rules.frame_rows import (
    BEGIN,
    GO_ON,
    HELLO,
    IGNORED,
    LIMITS,
    MISSING,
    PASSED,
    PING,
    REFUSED,
)
from trioweb.rules.frames import FrameFault, FrameGate, FrameLimits

WIDE = FrameLimits(message=1 << 63, fragments=10**6, pings=10**6, pongs=10**6)


def rows(cases: list[tuple[str, str]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        "row", [row for _, row in cases], ids=[name for name, _ in cases]
    )


def judge(pieces: list[bytes], limits: FrameLimits = LIMITS) -> tuple[bytes, int]:
    """What a new gate lets through, and the code of the fault; 0 for none."""
    gate, passed = FrameGate(limits), b""
    try:
        for piece in pieces:
            passed += gate.feed(piece, 0.0)
    except FrameFault as fault:
        return passed + fault.passed, fault.code
    return passed, 0


def parts(row: str) -> tuple[bytes, bytes]:
    good, _, rest = row.partition(":")
    return bytes.fromhex(good), bytes.fromhex(rest)


@rows(PASSED)
def test_what_is_right_is_passed_on_as_it_came(row: str) -> None:
    data = bytes.fromhex(row)
    for pieces in cuts(data):
        assert judge(pieces) == (data, 0)


@rows(MISSING)
def test_a_header_is_passed_on_when_it_is_whole(row: str) -> None:
    data = bytes.fromhex(HELLO + row)
    for pieces in cuts(data):
        assert judge(pieces) == (bytes.fromhex(HELLO), 0)


@pytest.mark.parametrize(
    ("row", "code"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_what_is_wrong_is_refused_at_once(row: str, code: int) -> None:
    good, bad = parts(row)
    for pieces in cuts(good + bad):
        assert judge(pieces) == (good, code)
    assert judge([good + bad, bytes(100)]) == (good, code)


@rows(IGNORED)
def test_nothing_is_passed_on_after_a_close(row: str) -> None:
    good, rest = parts(row)
    for pieces in cuts(good + rest):
        assert judge(pieces) == (good, 0)


def test_a_fault_is_met_again_and_passes_nothing_on_twice() -> None:
    gate = FrameGate(LIMITS)
    with pytest.raises(FrameFault, match="not masked") as first:
        gate.feed(bytes.fromhex(f"{HELLO} 81 00"), 0.0)
    assert first.value.passed == bytes.fromhex(HELLO)
    with pytest.raises(FrameFault, match="not masked") as second:
        gate.feed(bytes.fromhex(HELLO), 0.0)
    assert second.value.passed == b""
    assert second.value.code == 1002


def test_the_reason_of_a_fault_has_room_in_a_close_frame() -> None:
    for _, row, _ in REFUSED:
        with pytest.raises(FrameFault) as found:
            FrameGate(LIMITS).feed(b"".join(parts(row)), 0.0)
        assert 0 < len(found.value.reason.encode()) <= 123


def test_payload_is_not_copied() -> None:
    gate = FrameGate(LIMITS)
    whole = bytes.fromhex(HELLO)
    assert gate.feed(whole, 0.0) is whole
    gate.feed(bytes.fromhex("82 ff 0000000000010000 37fa213d"), 0.0)
    part = bytes(16 * 1024)
    for _ in range(4):
        assert gate.feed(part, 0.0) is part


def test_pings_are_let_through_again_as_time_passes() -> None:
    gate, ping = FrameGate(LIMITS), bytes.fromhex(PING)
    for half in range(100):
        assert gate.feed(ping, 1000 + half / 2) == ping
    assert gate.feed(ping * 2, 1049.5) == ping * 2
    with pytest.raises(FrameFault, match="too many pings"):
        gate.feed(ping, 1049.75)


def test_a_silence_saves_up_no_more_than_a_second() -> None:
    gate, ping = FrameGate(LIMITS), bytes.fromhex(PING)
    gate.feed(ping, 0.0)
    with pytest.raises(FrameFault, match="too many pings"):
        gate.feed(ping * 4, 1000.0)


def test_w3_a_flood_of_empty_fragments_is_refused_by_default() -> None:
    flood = bytes.fromhex(BEGIN + GO_ON * 2000)
    passed, code = judge([flood], FrameLimits())
    assert (passed, code) == (flood[: 6 * 1024], 1008)


def test_w4_a_flood_of_pings_is_refused_by_default() -> None:
    passed, code = judge([bytes.fromhex(PING * 50_000)], FrameLimits())
    assert (len(passed), code) == (6 * 20, 1008)


def test_w2_a_message_of_2_mib_is_refused_by_its_header() -> None:
    header = bytes.fromhex("82 ff 0000000000200000 37fa213d")
    assert judge([header], FrameLimits()) == (b"", 1009)
    assert judge([header[:10]], FrameLimits()) == (b"", 1009)


@pytest.mark.parametrize("size", [1, 2, 5, 100, 5000])
def test_a_message_in_tiny_pieces_becomes_few_parts(size: int) -> None:
    gate, content = FrameGate(FrameLimits()), bytes(range(256)) * 4096
    frame = bytes.fromhex("82 ff 0000000000100000 00000000") + content
    pieces = [frame[at : at + size] for at in range(0, len(frame), size)]
    handed = [part for piece in pieces if (part := gate.feed(piece, 0.0))]
    assert b"".join(handed) == frame
    # The first are handed on as they come; then no less than 4 KiB at a time.
    assert len(handed) <= 64 + 256 + 2


def test_what_was_gathered_comes_before_a_fault() -> None:
    frame = bytes.fromhex("82 fe 0100 37fa213d") + bytes(256)
    bad = [bytes([byte]) for byte in frame + bytes.fromhex("81 00")]
    assert judge(bad) == (frame, 1002)


def test_each_message_has_its_first_parts_at_once() -> None:
    gate = FrameGate(LIMITS)
    frame = bytes.fromhex("81 fe 0100 00000000") + bytes(256)
    for _ in range(2):
        handed = [gate.feed(bytes([byte]), 0.0) for byte in frame]
        assert handed[7:72] == [frame[:8], *[b"\0"] * 64]
        assert handed[-1] == frame[72:]


@pytest.mark.parametrize("name", ["message", "fragments", "pings", "pongs"])
@pytest.mark.parametrize("value", [0, -1, math.inf, math.nan, 0.5])
def test_a_limit_is_a_number_that_lets_something_through(
    name: str, value: float
) -> None:
    with pytest.raises(ValueError, match=f"{name} is {value!r}"):
        FrameLimits(**{name: value})  # type: ignore[arg-type]  # that is the point


# ------------------------------------------------- beside wsproto, which comes after it


def _header(first: int, second: int, length: int, form: int) -> bytes:
    if form == 127:
        return bytes([first, second | 127]) + length.to_bytes(8, "big")
    if form == 126:
        return bytes([first, second | 126]) + length.to_bytes(2, "big")
    return bytes([first, second | length])


@st.composite
def frames(draw: st.DrawFn) -> bytes:
    """A frame of a client, right more often than not."""
    usual = st.sampled_from([0x82, 0x81, 0x02, 0x01, 0x00, 0x80, 0x89, 0x8A, 0x88])
    first = draw(usual | usual | st.integers(0, 255))
    sizes = st.sampled_from([0, 1, 2, 7, 125, 126, 127, 300])
    # What stands in a text or a Close is for wsproto alone: here it is right.
    size = 0 if first & 15 == 8 else draw(sizes)
    shortest = 126 if size > 125 else 0
    form = draw(st.sampled_from([shortest] * 5 + [126, 127]))
    second = draw(st.sampled_from([0x80] * 9 + [0]))
    key = b"" if not second else bytes(4)
    return _header(first, second, size, form) + key + bytes(size)


def understood(data: bytes) -> tuple[list[Frame], int]:
    """What wsproto finds in *data*, and the code of its fault."""
    protocol, found = FrameProtocol(client=False, extensions=[]), list[Frame]()
    protocol.receive_bytes(data)
    try:
        found.extend(protocol.received_frames())
    except ParseFailed as failure:
        return found, int(failure.code)
    return found, 0


# wsproto looks at some bytes later than the gate does: these are enough for both.
ENOUGH = bytes(16)


@hypothesis.given(st.lists(frames(), max_size=12).map(b"".join))
def test_wsproto_understands_what_is_passed_and_refuses_what_is_refused(
    data: bytes,
) -> None:
    data += ENOUGH
    passed, code = judge([data], WIDE)
    found, refused = understood(data)
    assert code == refused
    assert understood(passed) == (found, 0)


@hypothesis.given(st.binary(max_size=40))
def test_wsproto_refuses_any_bytes_that_are_refused(data: bytes) -> None:
    _, code = judge([data + ENOUGH], WIDE)
    _, refused = understood(data + ENOUGH)
    # The other way round is not so: what a text or a Close says is for wsproto.
    assert refused or not code


@hypothesis.given(st.lists(frames(), max_size=12).map(b"".join), st.data())
def test_any_split_gives_the_same(data: bytes, draw: st.DataObject) -> None:
    at = sorted(draw.draw(st.sets(st.integers(1, max(1, len(data))), max_size=8)))
    pieces = [data[start:end] for start, end in pairwise([0, *at, len(data)])]
    assert judge(pieces) == judge([data])
