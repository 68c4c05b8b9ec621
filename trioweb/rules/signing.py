"""Signing: a value that travels through other hands and comes back as it was."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import math
from collections.abc import Sequence
from dataclasses import dataclass

# A key, bytes: as long as the digest that it makes (RFC 2104 section 3: a shorter one
# makes the signature weaker, a longer one makes it no stronger).
KEY_SIZE = 32

# The signature and the time in front of each value, bytes.
_MAC = hashlib.sha256().digest_size
_TIME = 8
_OVERHEAD = _MAC + _TIME

_ADVICE = 'python -c "import secrets; print(secrets.token_urlsafe(32))"'


@dataclass(frozen=True, slots=True)
class Signed:
    """A value, and when it was signed, in seconds since the epoch."""

    value: bytes
    at: float


class Signer:
    """Signs with the first of *keys*, and takes what any of them has signed.

    So a new key is put in front, and the old one removed once nothing of it is left in
    use.  What was signed for one *purpose* is worth nothing for another.  ValueError
    for no key, or for one of less than 32 bytes.

    HMAC-SHA256 (RFC 2104) in base64url without padding (RFC 4648 section 5); each value
    has one spelling.  It hides nothing: whoever holds it can read it.

    >>> signer = Signer(["correct horse battery staple, and more"], "greeting")
    >>> signer.verify(signer.sign(b"hello", now=1.5))
    Signed(value=b'hello', at=1.5)
    """

    def __init__(self, keys: Sequence[str | bytes], purpose: str) -> None:
        if isinstance(keys, str | bytes):
            msg = "keys is one key; give a list of them, the one that signs in front"
            raise TypeError(msg)
        if not keys:
            msg = f"there is no key to sign with; make one with {_ADVICE}"
            raise ValueError(msg)
        # Nothing is ever signed with the key itself: so it can serve many purposes.
        self._keys = [_mac(_strong(key), purpose.encode()) for key in keys]

    def sign(self, value: bytes, now: float) -> str:
        """*value* and the time *now*, in seconds since the epoch, as text of a cookie.

        ValueError for a time before 1970 or without end.
        """
        if not 0 <= now < math.inf:
            msg = f"now is {now!r}; give seconds since the epoch"
            raise ValueError(msg)
        dated = round(now * 1000).to_bytes(_TIME, "big") + value
        signed = _mac(self._keys[0], dated) + dated
        return base64.urlsafe_b64encode(signed).rstrip(b"=").decode("ascii")

    def verify(self, text: str) -> Signed | None:
        """What *text* says, if it is as `sign` made it with one of the keys."""
        signed = _decoded(text)
        if signed is None or len(signed) < _OVERHEAD:
            return None
        mac, dated = signed[:_MAC], signed[_MAC:]
        # Each key is tried, and compared in constant time: how long it takes says
        # neither which one it was nor how much of a forgery was right.
        matches = [hmac.compare_digest(mac, _mac(key, dated)) for key in self._keys]
        if not any(matches):
            return None
        return Signed(dated[_TIME:], int.from_bytes(dated[:_TIME], "big") / 1000)


def _strong(key: str | bytes) -> bytes:
    raw = key.encode() if isinstance(key, str) else key
    if len(raw) < KEY_SIZE:
        msg = (
            f"a key of {len(raw)} bytes can be guessed; it needs at least {KEY_SIZE}: "
            f"make one with {_ADVICE}"
        )
        raise ValueError(msg)
    return raw


def _mac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


def _decoded(text: str) -> bytes | None:
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return None
    # The standard library skips what is not of the alphabet, and ignores the last bits.
    spelled = base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")
    return raw if spelled == text else None
