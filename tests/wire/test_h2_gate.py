"""The gate of HTTP/2: frames however they are split, and floods of every kind."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trioweb.wire.h2_codes import Code, Flag, Kind, frame
from trioweb.wire.h2_gate import (
    BLOCK,
    CONTINUATIONS,
    FRAME,
    Account,
    Flood,
    Frame,
    FrameFault,
    Frames,
)

END = Flag.END_STREAM


def taken(data: bytes, step: int) -> tuple[list[Frame], Code | None]:
    """The frames in *data*, come in pieces of *step* bytes; and the fault, if any."""
    frames, found = Frames(), []
    try:
        for at in range(0, len(data), step):
            for one in frames.feed(data[at : at + step]):
                found.append(one)  # noqa: PERF402  # those before a fault count
    except FrameFault as fault:
        return found, fault.code
    return found, None


some_frames = st.lists(
    st.builds(
        frame,
        st.sampled_from(Kind),
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
    found, fault = taken(b"".join(frames), step)
    assert fault is None
    assert [one.raw for one in found] == frames
    for one in found:
        again = frame(Kind(one.kind), one.stream, one.raw[9:], one.flags)
        assert again == one.raw


def test_the_reserved_bit_is_ignored() -> None:
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


def block(*sizes: int) -> bytes:
    """HEADERS without an end, and a CONTINUATION for each further size."""
    first, *more = sizes
    return frame(Kind.HEADERS, 1, bytes(first)) + b"".join(
        frame(Kind.CONTINUATION, 1, bytes(size)) for size in more
    )


CALM = Code.ENHANCE_YOUR_CALM

BLOCKS: list[tuple[str, bytes, int, Code | None]] = [
    ("M3 eight continuations", block(*[1] * 9), 9, None),
    ("M3 nine continuations", block(*[1] * 10), 9, CALM),
    ("M3 nine empty ones", block(*[0] * 10), 9, CALM),
    ("M3 twice eight", block(*[1] * 9) * 2, 18, None),
    ("M3 32 KiB", block(FRAME, FRAME), 2, None),
    ("M3 more than 32 KiB", block(FRAME, FRAME, 1), 2, CALM),
    ("M3 refused before it comes", block(FRAME, FRAME - 1, 1, 2)[:-2], 3, CALM),
    ("M3 without HEADERS", frame(Kind.CONTINUATION, 1) * 9, 8, CALM),
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


def spent(
    frames: Iterable[bytes], *, account: Account | None = None, pause: float = 0.0
) -> int:
    """How many of the frames pass, when one comes each *pause* seconds."""
    account = account or Account()
    passed, now = 0, 1000.0
    for one in Frames().feed(b"".join(frames)):
        try:
            account.charge(one, now)
        except Flood:
            break
        passed += 1
        now += pause
    return passed


HEADERS = frame(Kind.HEADERS, 1, b"\x82", Flag.END_HEADERS)
RST = frame(Kind.RST_STREAM, 1, bytes(4))
PING = frame(Kind.PING, 0, bytes(8))
SETTINGS = frame(Kind.SETTINGS, 0, bytes(6))
PRIORITY = frame(Kind.PRIORITY, 1, bytes(5))
WINDOW = frame(Kind.WINDOW_UPDATE, 1, bytes(4))
UNKNOWN = b"\0\0\0\xee\0\0\0\0\0"
EMPTY = frame(Kind.DATA, 1)
PADDED = frame(Kind.DATA, 1, b"\x05" + bytes(5), Flag.PADDED)
TINY = frame(Kind.DATA, 1, b"a")

# id, the frames that are repeated, how many of all pass at once, and the least pause
# between repetitions, in seconds, with which there is no end
FLOODS: list[tuple[str, bytes, int, float]] = [
    ("M1 rapid reset", HEADERS + RST, 401, 0.05),
    ("M5 PING", PING, 50, 1.0),
    ("M5 PING answers nobody asked for", frame(Kind.PING, 0, bytes(8), 1), 50, 1.0),
    ("M5 SETTINGS", SETTINGS, 20, 2.0),
    ("M5 SETTINGS without settings", frame(Kind.SETTINGS, 0), 20, 2.0),
    ("M5 SETTINGS acknowledged", frame(Kind.SETTINGS, 0, b"", 1), 20, 2.0),
    ("M5 settings by the hundred", frame(Kind.SETTINGS, 0, bytes(600)), 5, 8.0),
    ("M6 one byte", TINY, 2048, 1 / 1024),
    ("M6 padding", frame(Kind.DATA, 1, b"\xc8" + bytes(250), 8), 102, 0.02),
    ("M7 PRIORITY with streams", HEADERS + PRIORITY * 11, 1091, 1000),
    ("M8 WINDOW_UPDATE", WINDOW, 1000, 0.01),
    ("M8 unknown", UNKNOWN, 100, 0.1),
    ("M8 GOAWAY", frame(Kind.GOAWAY, 0, bytes(8)), 100, 0.1),
    ("M8 PUSH_PROMISE", frame(Kind.PUSH_PROMISE, 1, bytes(8)), 100, 0.1),
]


@pytest.mark.parametrize(
    ("repeated", "passes", "pause"),
    [case[1:] for case in FLOODS],
    ids=[case[0] for case in FLOODS],
)
def test_a_flood_is_over_soon(repeated: bytes, passes: int, pause: float) -> None:
    assert spent([repeated] * 5000) == passes
    kinds = len(list(Frames().feed(repeated)))
    endless = [repeated] * 5000
    if pause < 1000:
        # A little more, for what adding up fractions leaves.
        assert spent(endless, pause=pause / kinds * 1.001) == 5000 * kinds
        assert spent(endless, pause=pause / kinds / 2) < 5000 * kinds


def test_m6_empty_data_is_bounded_by_stream() -> None:
    assert spent([EMPTY] * 100, pause=10) == 10
    assert spent([PADDED] * 100, pause=10) == 10
    assert spent([frame(Kind.DATA, 1, b"", END)] * 11) == 11
    # Padding, but about as much content: neither empty nor thin.
    assert spent([frame(Kind.DATA, 1, b"\x01" + bytes(30), 8)] * 9999) == 9999
    assert spent([frame(Kind.DATA, 2 * n + 1) * 10 for n in range(150)]) == 1500
    again = [frame(Kind.DATA, 2 * n + 1) * 5 for n in range(150)]
    # Only as many streams are remembered as there can be at once.
    assert spent([*again, *again], pause=1) == 1500
    assert spent([*again[:100], *again[:100], EMPTY], pause=1) == 1000


def test_m7_priorities_come_with_streams() -> None:
    assert spent([PRIORITY] * 500, pause=60) == 100
    update = b"\0\0\4\x10\0\0\0\0\0" + bytes(4)
    assert spent([update] * 500, pause=60) == 100
    assert spent(([PRIORITY] * 10 + [HEADERS]) * 100) == 1100


def test_m8_who_takes_content_may_open_windows_for_it() -> None:
    account = Account()
    for _ in range(10_000):
        account.sent()
    assert spent([WINDOW + WINDOW + PING] * 10_000, account=account) == 30_000
    assert spent([WINDOW] * 20_000, account=account) == 11_000


def test_a_flood_says_what_of() -> None:
    account = Account()
    (reset,) = Frames().feed(RST)
    for _ in range(200):
        account.charge(reset, 1.0)
    with pytest.raises(Flood) as raised:
        account.charge(reset, 1.0)
    assert (str(raised.value), raised.value.code) == ("too much: streams reset", CALM)


def test_large_frames_are_free() -> None:
    assert spent([frame(Kind.DATA, 1, bytes(9))] * 10_000) == 10_000
    assert spent([HEADERS, frame(Kind.CONTINUATION, 1, b"")] * 1000) == 2000


def floods_after(act: Callable[[float], None], pause: float, most: int) -> int | None:
    """How often *act* may be done, once each *pause* seconds; None: *most* times."""
    for count in range(most):
        try:
            act(1000.0 + count * pause)
        except Flood:
            return count
    return None


def test_m2_streams_we_had_to_reset_count_as_the_peers_resets() -> None:
    account = Account()
    for number in range(100):
        account.charge(next(Frames().feed(RST)), 1000.0)
        account.provoked(1000.0 + number / 1e6)
    assert floods_after(account.provoked, 0, 10) == 0
    assert floods_after(Account().provoked, 0, 1000) == 200
    assert floods_after(Account().provoked, 0.051, 5000) is None


def test_m1_a_browser_that_resets_a_hundred_streams_is_left_alone() -> None:
    assert spent([HEADERS, RST] * 100, pause=0.05) == 200
    assert spent([HEADERS, RST] * 100) == 200


def test_m4_fields_that_unpack_to_much_must_be_worth_it() -> None:
    def refused(now: float) -> None:
        account.unpacked(16 * 1024, now)

    def answered(now: float) -> None:
        refused(now)
        account.answered()

    account = Account()
    assert floods_after(refused, 0.02, 1000) == 73
    account = Account()
    assert floods_after(answered, 0.0, 5000) is None
    account = Account()
    assert floods_after(refused, 0.17, 5000) is None


def test_m7_the_gate_takes_a_few_microseconds_a_frame() -> None:
    account, frames = Account(), Frames()
    data = b"".join([HEADERS, frame(Kind.DATA, 1, bytes(100)), PRIORITY] * 10_000)
    start = time.process_time()
    for one in frames.feed(data):
        account.charge(one, 1000.0)
    # 30 000 frames at 2 µs, tenfold.
    assert time.process_time() - start < 0.6
