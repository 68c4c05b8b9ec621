"""What compressed messages become (RFC 7692 section 7.2), byte for byte."""

from __future__ import annotations

import random
import time
import zlib

import hypothesis
import pytest
from hypothesis import strategies as st

from tests.fuzz.targets import cuts
from trioweb.rules.frames import FrameFault, FrameGate, FrameLimits
from trioweb.rules.inflate import Inflater

LIMITS = FrameLimits(message=1000, fragments=4, pings=5, pongs=5)

# With the mask of the examples in RFC 6455 section 5.7, and with one that is zero.
KEY, ZERO = "37fa213d", "00000000"
PING = "89 82 37fa213d 5f93"
PLAIN = "81 82 37fa213d 5f93"
HELLO = "81 85 00000000 48656c6c6f"
FIRST, EMPTY = f"41 83 {ZERO} f248cd", f"41 80 {ZERO}"
TWICE = "81 8a 00000000 48656c6c6f48656c6c6f"
ZEROS = "82 fe 03e8 00000000" + "00" * 1000

INFLATED = [
    ("7.2.3.1 one frame", f"c1 87 {ZERO} f248cdc9c90700", HELLO),
    ("7.2.3.1 one frame, masked", f"c1 87 {KEY} c5b2ecf4fefd21", HELLO),
    ("7.2.3.1 two", f"{FIRST} 80 84 {ZERO} c9c90700", HELLO),
    ("7.2.3.1 two, masked", f"41 83 {KEY} c5b2ec 80 84 {KEY} fe33263d", HELLO),
    ("5.4 a ping between", f"{FIRST} {PING} 80 84 {ZERO} c9c90700", PING + HELLO),
    ("5.4 empty ones", f"{EMPTY} 00 87 {ZERO} f248cdc9c90700 80 80 {ZERO}", HELLO),
    ("7.2.3.2 each by itself", f"c1 87 {ZERO} f248cdc9c90700" * 2, HELLO * 2),
    ("7.2.3.3 not compressed", f"c1 8b {ZERO} 000500faff48656c6c6f00", HELLO),
    ("7.2.3.4 a last block", f"c1 88 {ZERO} f348cdc9c9070000", HELLO),
    ("7.2.3.4 a last block, nothing after it", f"c1 87 {ZERO} f348cdc9c90700", HELLO),
    ("7.2.3.4 and again", f"c1 8f {ZERO} f348cdc9c90700 f348cdc9c9070000", TWICE),
    ("7.2.3.5 two blocks", f"c1 8d {ZERO} f248050000 00ffffcac9c90700", HELLO),
    ("7.2.3.6 empty", f"c2 81 {ZERO} 00", "82 80 00000000"),
    ("7.2.3.6 emptier than may be", f"c2 80 {ZERO}", "82 80 00000000"),
    ("6 after a plain one", f"{PLAIN} c1 87 {ZERO} f248cdc9c90700", PLAIN + HELLO),
    ("6 before a plain one", f"c1 87 {ZERO} f248cdc9c90700 {PLAIN}", HELLO + PLAIN),
    ("6 a close", "88 80 00000000", "88 80 00000000"),
    ("as many bytes as may be", f"c2 8b {ZERO} 62601805a360140c770000", ZEROS),
]  # fmt: skip

ONE_MORE = f"80 87 {ZERO} 0000ffff4a0400"

# What is wrong begins after the colon; what stands before it is inflated.
REFUSED = [
    ("6 a control frame", f"{PLAIN}: c9 80", 1002),
    ("6 a fragment that is not the first", f"{EMPTY}: c0 80", 1002),
    ("5.2 another bit", f"{PING}: e1 80", 1002),
    ("7.2.2 no DEFLATE", f"{PLAIN}: c1 82 {ZERO} ffff", 1007),
    ("7.2.2 no DEFLATE later", f"{PLAIN} {EMPTY}: 80 82 {ZERO} ffff", 1007),
    ("7.2.2 it ends within a block", f"{PING}: c1 83 {ZERO} f248cd", 1007),
    ("7.2.2 it ends within a length", f": c1 82 {ZERO} 0005", 1007),
    ("7.2.2 within what is not compressed", f": c1 86 {ZERO} 00ffff000041", 1007),
    ("7.2.3.2 looks too far back", f"{PLAIN}: c1 85 {ZERO} f200110000", 1007),
    ("7.2.3.4 no end of last blocks", f"{PLAIN}: c1 a4 {ZERO}" + "0300" * 18, 1007),
    ("one byte more than may be", f": c2 8b {ZERO} 62601805a360140c7b0000", 1009),
    ("more than may be, compressed", ": c2 fe 03e9", 1009),
    ("in fragments", f": 42 8b {ZERO} 62601805a360140c770000 {ONE_MORE}", 1009),
    ("more fragments than may be", f": {EMPTY}" + f"00 80 {ZERO}" * 4, 1008),
]  # fmt: skip


def gate(limits: FrameLimits = LIMITS) -> FrameGate:
    return FrameGate(limits, Inflater(limits.message))


def all_of(inflating: FrameGate, data: bytes, turns: list[bytes]) -> None:
    """What comes of *data*, turn by turn."""
    turns.append(inflating.feed(data, 0.0))
    while inflating.pending:
        turns.append(inflating.feed(b"", 0.0))


def judge(pieces: list[bytes], limits: FrameLimits = LIMITS) -> tuple[bytes, int]:
    """What becomes of it, and the code of the fault; 0 for none."""
    inflating, turns = gate(limits), list[bytes]()
    try:
        for piece in pieces:
            all_of(inflating, piece, turns)
    except FrameFault as fault:
        return b"".join([*turns, fault.passed]), fault.code
    return b"".join(turns), 0


@pytest.mark.parametrize(
    ("row", "plain"),
    [case[1:] for case in INFLATED],
    ids=[case[0] for case in INFLATED],
)
def test_what_is_right_becomes_plain(row: str, plain: str) -> None:
    for pieces in cuts(bytes.fromhex(row)):
        assert judge(pieces) == (bytes.fromhex(plain), 0)


@pytest.mark.parametrize(
    ("row", "code"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_what_is_wrong_is_refused(row: str, code: int) -> None:
    good, _, bad = row.partition(":")
    plain = bytes.fromhex(good.replace(EMPTY, ""))
    for pieces in cuts(bytes.fromhex(good + bad)):
        assert judge(pieces) == (plain, code)


# ------------------------------------------------------------------------------- bombs


def compressed(content: bytes) -> bytes:
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (stream.compress(content) + stream.flush(zlib.Z_SYNC_FLUSH))[:-4]


def framed(first: int, content: bytes) -> bytes:
    size = len(content)
    if size < 126:
        return bytes([first, 0x80 | size]) + bytes(4) + content
    if size < 1 << 16:
        return bytes([first, 0xFE]) + size.to_bytes(2, "big") + bytes(4) + content
    return bytes([first, 0xFF]) + size.to_bytes(8, "big") + bytes(4) + content


# Bytes handed on at one turn: no more than a few reads, whatever it would become.
TURN = 2 * 64 * 1024 + 1024
MIB = 1024 * 1024


def test_w5_a_bomb_is_refused_before_it_has_become_more_than_may_be() -> None:
    bomb = framed(0xC2, compressed(bytes(64 * MIB)))
    assert len(bomb) < 70_000
    inflating, turns = gate(FrameLimits()), list[bytes]()
    with pytest.raises(FrameFault) as found:
        all_of(inflating, bomb, turns)
    assert found.value.code == 1009
    assert max(map(len, turns)) < TURN
    assert sum(map(len, turns)) <= MIB + 1024
    assert not inflating.pending


def test_many_messages_that_may_be_are_handed_on_in_turns() -> None:
    one = framed(0xC2, compressed(bytes(MIB)))
    turns = list[bytes]()
    all_of(gate(FrameLimits()), one * 20, turns)
    assert sum(map(len, turns)) > 20 * MIB
    assert max(map(len, turns)) < TURN


def test_no_turn_is_long_however_little_comes_of_it() -> None:
    empty = framed(0xC2, b"\0")
    turns = list[bytes]()
    all_of(gate(FrameLimits()), empty * 9000, turns)
    assert b"".join(turns) == framed(0x82, b"") * 9000
    assert len(turns) > 50


def test_what_is_not_compressed_is_not_held_either() -> None:
    plain = framed(0x82, bytes(50_000)) + framed(0x89, b"") * 5
    assert judge([plain * 3], FrameLimits()) == (plain * 3, 0)


def test_a_fault_waits_for_what_came_before_it() -> None:
    inflating = gate(FrameLimits())
    good = framed(0xC2, compressed(bytes(MIB)))
    turns = list[bytes]()
    with pytest.raises(FrameFault, match="not masked") as found:
        all_of(inflating, good + b"\x82\0", turns)
    plain = b"".join(turns) + found.value.passed
    assert plain.count(0) > MIB
    assert not inflating.pending
    with pytest.raises(FrameFault, match="not masked"):
        inflating.feed(b"", 0.0)


def test_a_fault_of_the_content_comes_before_one_that_follows() -> None:
    inflating = gate()
    with pytest.raises(FrameFault, match="not compressed"):
        inflating.feed(bytes.fromhex(f"{PLAIN} c1 82 {ZERO} ffff 82 00"), 0.0)
    with pytest.raises(FrameFault, match="not compressed") as again:
        inflating.feed(b"", 0.0)
    assert again.value.passed == b""


def test_messages_larger_than_a_turn_are_the_same_however_they_come() -> None:
    content = random.Random(0).randbytes(30_000) * 12
    data = framed(0xC2, compressed(content)) + bytes.fromhex(PING)
    limits = FrameLimits()
    whole, _ = judge([data], limits)
    assert whole.endswith(bytes.fromhex(PING))
    for size in (97, 1000, 4096):
        pieces = [data[at : at + size] for at in range(0, len(data), size)]
        assert judge(pieces, limits) == (whole, 0)


def test_w5_a_bomb_of_last_blocks_takes_no_time() -> None:
    began = time.process_time()
    assert judge([framed(0xC2, b"\x03\0" * 30_000)], FrameLimits()) == (b"", 1007)
    assert time.process_time() - began < 1


# --------------------------------------------------------------------- any of them all


@st.composite
def messages(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """A message in compressed fragments with its content in one plain frame."""
    content = draw(st.binary(max_size=40)) * draw(st.integers(1, 9))
    data = compressed(content)
    at = draw(st.integers(0, len(data)))
    key = draw(st.binary(min_size=4, max_size=4))
    first, rest = (_masked(part, key) for part in (data[:at], data[at:]))
    fragments = (
        bytes([0x42, 0x80 | len(first)]) + key + first
        + bytes([0x80, 0x80 | len(rest)]) + key + rest
    )  # fmt: skip
    return fragments, framed(0x82, content)


def _masked(part: bytes, key: bytes) -> bytes:
    return bytes(byte ^ key[at % 4] for at, byte in enumerate(part))


@hypothesis.given(st.lists(messages(), max_size=4), st.integers(1, 40))
def test_messages_are_found_in_any_pieces(
    several: list[tuple[bytes, bytes]], size: int
) -> None:
    data = b"".join(sent for sent, _ in several)
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    assert judge(pieces) == (b"".join(plain for _, plain in several), 0)


@hypothesis.given(st.binary(max_size=120))
def test_any_content_is_inflated_or_refused(content: bytes) -> None:
    data = bytes([0xC2, 0x80 | len(content)]) + bytes(4) + content
    for pieces in cuts(data) if len(content) < 126 else ():
        plain, code = judge(pieces)
        assert code in {0, 1007, 1009}
        assert bool(plain) == (not code)
