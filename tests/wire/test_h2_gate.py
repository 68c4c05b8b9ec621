"""The gate of HTTP/2: floods of every kind are over soon, and nobody else is hurt."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

import pytest

from tests.wire.h2.written import (
    EMPTY,
    HEADERS,
    LAST,
    PADDED,
    PING,
    PRIORITY,
    RST,
    SETTINGS,
    TINY,
    UNKNOWN,
    WINDOW,
)
from trioweb.wire.h2_account import Account
from trioweb.wire.h2_codes import Code, Flag, Kind, frame
from trioweb.wire.h2_gate import Flood, Frame, Frames

END = Flag.END_STREAM


def frames_in(data: bytes) -> Iterator[Frame]:
    """The frames in *data*, of a peer that has sent its settings."""
    frames = Frames()
    list(frames.feed(frame(Kind.SETTINGS, 0)))
    return frames.feed(data)


def spent(
    frames: Iterable[bytes], *, account: Account | None = None, pause: float = 0.0
) -> int:
    """How many of the frames pass, when one comes each *pause* seconds."""
    account = account or Account()
    passed, now = 0, 1000.0
    for one in frames_in(b"".join(frames)):
        try:
            account.charge(one, now)
        except Flood:
            break
        passed += 1
        now += pause
    return passed


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
    ("M7 PRIORITY with streams", HEADERS + PRIORITY * 11, 1211, 1000),
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
    kinds = len(list(frames_in(repeated)))
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
    # As Chromium does once it knows which of a hundred images are in view.
    assert spent([HEADERS] * 100 + [PRIORITY] * 2000) == 1200
    assert spent([HEADERS] * 1000 + [PRIORITY] * 2000) == 2100


def test_m8_who_takes_content_may_open_windows_for_it() -> None:
    account = Account()
    for _ in range(10_000):
        account.sent()
    assert spent([WINDOW + WINDOW + PING] * 10_000, account=account) == 30_000
    assert spent([WINDOW] * 20_000, account=account) == 11_000


def test_a_flood_says_what_of() -> None:
    account = Account()
    (reset,) = frames_in(RST)
    for _ in range(200):
        account.charge(reset, 1.0)
    with pytest.raises(Flood) as raised:
        account.charge(reset, 1.0)
    assert (str(raised.value), raised.value.code) == (
        "too much: streams reset",
        Code.ENHANCE_YOUR_CALM,
    )


def test_large_frames_are_free() -> None:
    assert spent([frame(Kind.DATA, 1, bytes(9))] * 10_000) == 10_000
    assert spent([frame(Kind.HEADERS, 1), LAST] * 1000) == 2000


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
        account.charge(next(frames_in(RST)), 1000.0)
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
    account = Account()
    data = b"".join([HEADERS, frame(Kind.DATA, 1, bytes(100)), PRIORITY] * 10_000)
    start = time.process_time()
    for one in frames_in(data):
        account.charge(one, 1000.0)
    # 30 000 frames at 2 µs, tenfold.
    assert time.process_time() - start < 0.6
