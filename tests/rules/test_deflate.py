"""Whether messages are compressed, and how ours are (RFC 7692)."""

from __future__ import annotations

import time

import hypothesis
import pytest
from hypothesis import strategies as st
from wsproto.extensions import PerMessageDeflate
from wsproto.frame_protocol import Frame, FrameProtocol

from trioweb.rules.deflate import Agreement, agree, deflate

ANSWER = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
TEN = f"{ANSWER}; server_max_window_bits=10"
BROWSER = "permessage-deflate; client_max_window_bits"
OFFER_TEN = "permessage-deflate; server_max_window_bits=10"
ALL_OF_THEM = (
    "permessage-deflate;client_max_window_bits=9"
    ";client_no_context_takeover;server_no_context_takeover"
)

AGREED = [
    ("7 nothing but the name", "permessage-deflate", ANSWER, 15),
    ("7.1.2.2 as browsers offer it", BROWSER, ANSWER, 15),
    ("7.1.2.2 smaller", "permessage-deflate; client_max_window_bits=8", ANSWER, 15),
    ("7.1.1.1", "permessage-deflate; server_no_context_takeover", ANSWER, 15),
    ("7.1.1.2", "permessage-deflate; client_no_context_takeover", ANSWER, 15),
    ("7.1.2.1", OFFER_TEN, TEN, 10),
    ("7.1.2.1 quoted", 'permessage-deflate; server_max_window_bits="10"', TEN, 10),
    (
        "7.1 all of them, without spaces",
        f"{ALL_OF_THEM};server_max_window_bits=15",
        f"{ANSWER}; server_max_window_bits=15",
        15,
    ),
    (
        "6455 9.1 more spaces",
        " permessage-deflate ;\tserver_max_window_bits = 10 ",
        TEN,
        10,
    ),
    ("5.1 the first that will do", f"{BROWSER}, permessage-deflate", ANSWER, 15),
    (
        "5.1 the next, if the first will not do",
        f"permessage-deflate; level=9, {OFFER_TEN}",
        TEN,
        10,
    ),
    ("6455 9.1 beside others", f'x-a; b="c, d", ,{BROWSER}', ANSWER, 15),
]  # fmt: skip

DECLINED = [
    ("6455 9.1 no offer", ""),
    ("6455 9.1 another extension", "x-webkit-deflate-frame"),
    ("6455 9.1 a longer name", "permessage-deflated"),
    ("6455 9.1 another case", "Permessage-Deflate"),
    ("6455 9.1 a name only", "permessage-deflate;"),
    ("6455 9.1 a value without a name", "permessage-deflate; =10"),
    ("6455 9.1 no value after all", "permessage-deflate; client_max_window_bits="),
    ("6455 9.1 an empty value", 'permessage-deflate; client_max_window_bits=""'),
    ("6455 9.1 half a quote", 'permessage-deflate; server_max_window_bits="10'),
    ("6455 9.1 two words", "permessage-deflate; server_max_window_bits=10 10"),
    ("6455 9.1 no comma", "permessage-deflate permessage-deflate"),
    ("7 an unknown parameter", "permessage-deflate; level=9"),
    ("7.1.1.1 with a value", "permessage-deflate; server_no_context_takeover=1"),
    ("7.1.1.2 with a value", "permessage-deflate; client_no_context_takeover=true"),
    ("7.1.2.1 without a value", "permessage-deflate; server_max_window_bits"),
    ("7.1.2.1 too small", "permessage-deflate; server_max_window_bits=7"),
    ("7.1.2.1 too large", "permessage-deflate; server_max_window_bits=16"),
    ("7.1.2.1 zero in front", "permessage-deflate; server_max_window_bits=09"),
    ("7.1.2.1 not in zlib", "permessage-deflate; server_max_window_bits=8"),
    ("W5 no number", "permessage-deflate; client_max_window_bits=abc"),
    ("7.1.2.2 too large", "permessage-deflate; client_max_window_bits=16"),
    ("7.1.2.2 signed", "permessage-deflate; client_max_window_bits=+9"),
    ("7.1 twice", f"{BROWSER}; client_max_window_bits"),
    ("7.1 twice, in two ways", f"{BROWSER}; client_max_window_bits=10"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("offered", "answer", "bits"),
    [case[1:] for case in AGREED],
    ids=[case[0] for case in AGREED],
)
def test_what_is_agreed_on(offered: str, answer: str, bits: int) -> None:
    assert agree(offered) == Agreement(answer, bits)


@pytest.mark.parametrize(
    "offered", [offered for _, offered in DECLINED], ids=[name for name, _ in DECLINED]
)
def test_what_is_as_if_it_were_not_there(offered: str) -> None:
    assert agree(offered) is None
    assert agree(f"{BROWSER},{offered}") == Agreement(ANSWER, 15)


@hypothesis.given(st.text() | st.text(alphabet='permsag-dflt;=,", 18'))
def test_any_offer_is_agreed_on_or_declined(offered: str) -> None:
    agree(offered)
    agree(f"permessage-deflate; {offered}")


@pytest.mark.parametrize("text", [";", "a", ";a", ";a=", '"', ";a=b", " ", ", ", "; "])
def test_an_offer_is_read_in_linear_time(text: str) -> None:
    began = time.process_time()
    agree("permessage-deflate" + text * (256 * 1024 // len(text)))
    assert time.process_time() - began < 3


# ---------------------------------------------------------------------- what we send


def framed(first: int, content: bytes) -> bytes:
    """A frame of ours, as long as its content needs."""
    size = len(content)
    if size < 126:
        return bytes([first, size]) + content
    if size < 1 << 16:
        return bytes([first, 126]) + size.to_bytes(2, "big") + content
    return bytes([first, 127]) + size.to_bytes(8, "big") + content


def understood(frame: bytes, bits: int) -> bytes:
    """What wsproto finds in a compressed *frame*."""
    extension = PerMessageDeflate()
    extension.finalize(f"{ANSWER}; server_max_window_bits={bits}")
    protocol = FrameProtocol(client=True, extensions=[extension])
    protocol.receive_bytes(frame)
    assert frame[0] & 0x40
    return b"".join(_content(found) for found in protocol.received_frames())


def _content(found: Frame) -> bytes:
    payload = found.payload
    assert isinstance(payload, str | bytes)
    return payload.encode() if isinstance(payload, str) else payload


@pytest.mark.parametrize("bits", [9, 10, 12, 15])
@pytest.mark.parametrize("first", [0x81, 0x82])
@pytest.mark.parametrize("size", [128, 200, 40_000, 70_000, 5_000_000])
def test_a_message_is_compressed(first: int, size: int, bits: int) -> None:
    content = b"".join(b"the %d-th, " % number for number in range(size // 9))[:size]
    frame = deflate(framed(first, content), bits)
    assert len(frame) < size * 0.7
    assert frame[0] == first | 0x40
    assert understood(frame, bits) == content


UNCHANGED = [
    ("a short message", framed(0x81, b"a" * 127)),
    ("an empty message", framed(0x82, b"")),
    ("a ping", framed(0x89, b"a" * 125)),
    ("a close", framed(0x88, b"\x03\xe8" + b"a" * 123)),
    ("a first fragment", framed(0x01, b"a" * 500)),
    ("a fragment", framed(0x00, b"a" * 500)),
    ("a last fragment", framed(0x80, b"a" * 500)),
    ("what does not become shorter", framed(0x82, bytes(range(256)))),
]


@pytest.mark.parametrize(
    "frame", [frame for _, frame in UNCHANGED], ids=[name for name, _ in UNCHANGED]
)
def test_what_is_sent_as_it_is(frame: bytes) -> None:
    assert deflate(frame, 15) is frame


@hypothesis.given(st.binary(min_size=1, max_size=300), st.integers(1, 400))
def test_any_message_comes_back(seed: bytes, times: int) -> None:
    content = seed * times
    plain = framed(0x82, content)
    frame = deflate(plain, 15)
    assert frame == plain or understood(frame, 15) == content
