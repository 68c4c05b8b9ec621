"""The first message of a peer: its curves, whatever it is."""

from __future__ import annotations

import ssl

import hypothesis
import hypothesis.strategies as st
import pytest

from tests.run.tls.meeting import SERVER, hello, trusting
from trioweb.run.tls.contexts import build
from trioweb.run.tls.hello import (
    CURVES,
    FALLBACK,
    HYBRID,
    complete,
    curve_for,
    groups,
)


def offering(curve: str) -> bytes:
    context = trusting()
    context.set_ecdh_curve(curve)
    return hello(context)


def message(*offered: int) -> bytes:
    """A first message with an extension before that of the curves."""
    listed = b"".join(each.to_bytes(2, "big") for each in offered)
    listed = len(listed).to_bytes(2, "big") + listed
    extensions = bytes(4) + b"\0\x0a" + len(listed).to_bytes(2, "big") + listed
    body = bytes(34) + b"\0" + b"\0\2\x13\x01" + b"\1\0"
    body += len(extensions).to_bytes(2, "big") + extensions
    body = b"\1" + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x01" + len(body).to_bytes(2, "big") + body


@pytest.mark.parametrize(("number", "curve"), CURVES.items())
def test_t1_the_curve_is_one_that_the_peer_has(number: int, curve: str) -> None:
    assert groups(offering(curve)) == {number}
    assert curve_for(offering(curve)) == curve
    assert curve_for(message(25, 30, number)) == curve


def test_t1_the_best_curve_is_taken_whatever_the_peers_order() -> None:
    assert curve_for(message(24, 23, 29)) == "X25519"
    assert curve_for(message(24, 23)) == "prime256v1"
    assert curve_for(hello()) == "X25519"


def test_who_has_none_of_ours_is_refused_by_openssl() -> None:
    assert curve_for(message(25, 30)) == FALLBACK
    assert curve_for(message()) == FALLBACK
    assert curve_for(b"") == FALLBACK


def test_who_can_have_keys_for_later_gets_them() -> None:
    assert curve_for(message(HYBRID, 29), hybrid=True) is None
    assert curve_for(message(HYBRID, 29)) == "X25519"
    assert curve_for(message(29), hybrid=True) == "X25519"


@pytest.mark.parametrize("sent", [hello(), message(29), b"GET / HTTP/1.1\r\n"])
def test_it_is_complete_when_it_is_all_there(sent: bytes) -> None:
    assert complete(sent)
    assert complete(sent + b"more")
    assert not complete(b"")
    if sent[:1] == b"\x16":
        assert not any(complete(sent[:end]) for end in range(len(sent)))


def test_what_is_too_long_is_not_waited_for() -> None:
    assert complete(b"\x16\x03\x01\xff\xff")


@hypothesis.given(st.binary(max_size=200), st.integers(0, 100))
def test_nothing_that_comes_raises(garbage: bytes, cut: int) -> None:
    contexts = build(SERVER) if not garbage else None
    for sent in (garbage, b"\x16\x03\x01\0\x40\1" + garbage, message(29)[:cut]):
        complete(sent)
        curve_for(sent)
        if contexts is not None:
            assert isinstance(contexts.choose(sent), ssl.SSLContext)
