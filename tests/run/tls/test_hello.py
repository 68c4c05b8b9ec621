"""The first message of a peer: its curves, whatever it is."""

from __future__ import annotations

import ssl

import hypothesis
import hypothesis.strategies as st
import pytest

from tests.run.tls.meeting import hello, split, trusting
from trioweb.run.tls.hello import (
    CURVES,
    FALLBACK,
    HYBRID,
    LONGEST,
    curve_for,
    first_message,
    groups,
    name_in,
)


def offering(curve: str) -> bytes:
    context = trusting()
    try:
        context.set_ecdh_curve(curve)
    except ssl.SSLError:
        pytest.skip("Python before 3.11.4 cannot choose it")
    return joined(hello(context))


def joined(sent: bytes) -> bytes:
    """The first message in what a peer has *sent*, which must be there."""
    message = first_message(sent)
    assert message
    return message


def message(*offered: int) -> bytes:
    """A first message with an extension before that of the curves."""
    listed = b"".join(each.to_bytes(2, "big") for each in offered)
    listed = len(listed).to_bytes(2, "big") + listed
    extensions = bytes(4) + b"\0\x0a" + len(listed).to_bytes(2, "big") + listed
    body = bytes(34) + b"\0" + b"\0\2\x13\x01" + b"\1\0"
    body += len(extensions).to_bytes(2, "big") + extensions
    return b"\1" + len(body).to_bytes(3, "big") + body


def record(message: bytes) -> bytes:
    return b"\x16\x03\x01" + len(message).to_bytes(2, "big") + message


@pytest.mark.parametrize(("number", "curve"), CURVES.items())
def test_t1_the_curve_is_one_that_the_peer_has(number: int, curve: str) -> None:
    assert groups(offering(curve)) == {number}
    assert curve_for(offering(curve)) == curve
    assert curve_for(message(25, 30, number)) == curve


def test_t1_the_best_curve_is_taken_whatever_the_peers_order() -> None:
    assert curve_for(message(24, 23, 29)) == "X25519"
    assert curve_for(message(24, 23)) == "prime256v1"
    assert curve_for(joined(hello())) == "X25519"


def test_who_has_none_of_ours_is_refused_by_openssl() -> None:
    assert curve_for(message(25, 30)) == FALLBACK
    assert curve_for(message()) == FALLBACK
    assert curve_for(b"") == FALLBACK


def test_who_can_have_keys_for_later_gets_them() -> None:
    assert curve_for(message(HYBRID, 29), hybrid=True) is None
    assert curve_for(message(HYBRID, 29)) == "X25519"
    assert curve_for(message(29), hybrid=True) == "X25519"


def test_t4_the_name_is_read_as_it_came() -> None:
    sent = hello()
    assert name_in(joined(sent)) == b"localhost"
    assert (
        name_in(joined(sent.replace(b"localhost", b"local\xffost"))) == b"local\xffost"
    )
    assert (
        name_in(joined(sent.replace(b"\0\0\x09localhost", b"\7\0\x09localhost"))) == b""
    )
    assert name_in(message(29)) == b""


@pytest.mark.parametrize("records", [1, 2, 16])
def test_it_is_whole_when_it_is_all_there(records: int) -> None:
    for whole in (joined(hello()), message(29)):
        sent = split(record(whole), records)
        assert first_message(sent) == whole
        assert first_message(sent + b"\x17more") == whole
        for end in range(len(sent)):
            assert first_message(sent[:end]) is None


NEVER = [
    ("another record", b"\x15\x03\x01"),
    ("plain HTTP", b"GET / HTTP/1.1\r\n"),
    ("another message", b"\x16\x03\x01\0\4\2"),
    ("a record that is too long", b"\x16\x03\x01\xff\xff"),
    ("a record that is empty", b"\x16\x03\x01\0\0"),
    ("a message that is too long", b"\x16\x03\x01\0\4\1\1\0\0"),
    ("something else in between", record(message(29)[:9]) + b"\x17"),
    ("too many records", split(record(message(29)), 17)),
    ("too much by its records", split(record(b"\1\0\x40\0" + bytes(LONGEST)), 3)),
]


@pytest.mark.parametrize("sent", [e[1] for e in NEVER], ids=[e[0] for e in NEVER])
def test_what_will_be_none_is_not_waited_for(sent: bytes) -> None:
    assert first_message(sent) == b""


@hypothesis.given(st.binary(max_size=200), st.integers(0, 100))
def test_nothing_that_comes_raises(garbage: bytes, cut: int) -> None:
    for sent in (garbage, b"\x16\x03\x01\0\x40\1" + garbage):
        first_message(sent)
    for said in (garbage, b"\1" + garbage, message(29)[:cut]):
        curve_for(said)
        name_in(said)
