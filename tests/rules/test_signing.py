"""Signing: what was signed comes back, and nothing else is ever taken for it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import math

import hypothesis
import hypothesis.strategies as some
import pytest

from trioweb.rules.signing import KEY_SIZE, Signed, Signer

OLD, NEW = "o" * KEY_SIZE, "n" * KEY_SIZE
NOW = 1_800_000_000.0

moments = some.integers(0, 2**40).map(lambda thousandths: thousandths / 1000)


@hypothesis.given(some.binary(max_size=200), moments)
def test_what_was_signed_comes_back_with_its_time(value: bytes, now: float) -> None:
    signer = Signer([NEW], "test")
    assert signer.verify(signer.sign(value, now)) == Signed(value, now)


@hypothesis.given(some.binary(max_size=200))
def test_it_can_stand_in_a_cookie(value: bytes) -> None:
    text = Signer([NEW], "test").sign(value, NOW)
    assert text.isascii()
    assert text.replace("-", "").replace("_", "").isalnum()


@hypothesis.given(some.binary(max_size=60), moments)
def test_c7_whatever_bit_is_flipped_it_is_refused(value: bytes, now: float) -> None:
    signer = Signer([NEW, OLD], "test")
    text = signer.sign(value, now)
    raw = bytearray(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    for bit in range(len(raw) * 8):
        raw[bit // 8] ^= 1 << bit % 8
        flipped = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
        assert signer.verify(flipped) is None
        raw[bit // 8] ^= 1 << bit % 8
    # The last bits of the last letter belong to no byte.
    for place in range(len(text)):
        for bit in range(7):
            letter = chr(ord(text[place]) ^ 1 << bit)
            assert signer.verify(text[:place] + letter + text[place + 1 :]) is None


@hypothesis.given(some.text(max_size=120) | some.binary(max_size=90).map(bytes.hex))
def test_no_text_is_taken_that_was_not_signed_and_none_raises(text: str) -> None:
    assert Signer([NEW], "test").verify(text) is None


SPELLINGS = [
    ("padding", "{0}=="),
    ("white space before", " {0}"),
    ("white space after", "{0}\n"),
    ("quoted", '"{0}"'),
    ("a letter of no alphabet within", "{1}*{2}"),
    ("a line end within", "{1}\r\n{2}"),
    ("a letter more", "{0}A"),
    ("four letters more", "{0}AAAA"),
    ("half a surrogate pair", "{0}\ud800"),
    ("half of it", "{1}"),
    ("twice", "{0}{0}"),
]


@pytest.mark.parametrize(
    "spelling", [case[1] for case in SPELLINGS], ids=[case[0] for case in SPELLINGS]
)
@pytest.mark.parametrize("value", [b"", b"1", b"12", b"\xff\xfe\xfd"])
def test_a_value_has_one_spelling(spelling: str, value: bytes) -> None:
    signer = Signer([NEW], "test")
    text = signer.sign(value, NOW)
    half = len(text) // 2
    assert signer.verify(spelling.format(text, text[:half], text[half:])) is None


def test_the_other_alphabet_of_base64_is_another_spelling() -> None:
    signer = Signer([NEW], "test")
    values = [bytes([number]) for number in range(64)]
    texts = [signer.sign(value, NOW) for value in values]
    other = [text.replace("-", "+").replace("_", "/") for text in texts]
    assert any(text not in texts for text in other)
    for text, plain in zip(texts, other, strict=True):
        assert (signer.verify(plain) is None) == (plain != text)


def test_n9_an_old_key_is_good_until_it_is_removed() -> None:
    text = Signer([OLD], "test").sign(b"value", NOW)
    both = Signer([NEW, OLD], "test")
    assert both.verify(text) == Signed(b"value", NOW)
    assert Signer([NEW], "test").verify(text) is None
    # The first signs.
    assert both.sign(b"value", NOW) == Signer([NEW], "test").sign(b"value", NOW)


def test_c7_what_is_for_one_purpose_is_worth_nothing_for_another() -> None:
    text = Signer([NEW], "session sid").sign(b"value", NOW)
    assert Signer([NEW], "session admin").verify(text) is None


def test_the_key_itself_signs_nothing() -> None:
    dated = bytes(8) + b"value"
    mac = hmac.digest(NEW.encode(), dated, hashlib.sha256)
    forged = base64.urlsafe_b64encode(mac + dated).rstrip(b"=").decode()
    assert Signer([NEW], "").verify(forged) is None


def test_a_key_may_be_bytes_or_text() -> None:
    text = Signer([NEW.encode()], "test").sign(b"value", NOW)
    assert Signer([NEW], "test").verify(text) == Signed(b"value", NOW)


@pytest.mark.parametrize("keys", [[], ["short"], [NEW, "x" * 31], [b""]])
def test_what_is_no_good_key_is_refused_with_how_to_make_one(
    keys: list[str | bytes],
) -> None:
    with pytest.raises(ValueError, match=r"secrets\.token_urlsafe\(32\)") as caught:
        Signer(keys, "test")
    assert "xxx" not in str(caught.value)  # a key is a secret, however short


def test_one_key_is_no_list_of_keys() -> None:
    with pytest.raises(TypeError, match="a list"):
        Signer(NEW, "test")


@pytest.mark.parametrize("now", [-1.0, math.inf, math.nan])
def test_a_time_that_is_none_is_refused(now: float) -> None:
    with pytest.raises(ValueError, match="since the epoch"):
        Signer([NEW], "test").sign(b"", now)
