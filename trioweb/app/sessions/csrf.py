"""CSRF tokens: a form of ours says so, for no other site can know what it carries."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets

from trioweb.message.errors import Forbidden
from trioweb.message.request import Request
from trioweb.message.session import SECRET_SIZE

# Where a script puts the token, which has no form to put it into.
HEADER = "x-csrf-token"

_REFUSED = "this form is not of your session, or of an old one; load the page again"


def csrf_token(request: Request) -> str:
    """A token for a form of this session: ``<input type=hidden name=csrf value=...>``.

    It is another text each time and says the same, so that a compressed page does not
    give it away letter by letter (BREACH); every one is good for as long as the session
    lasts, and until somebody signs in.  A visitor without a session gets one by it.
    """
    secret = request.session.secret()
    mask = secrets.token_bytes(SECRET_SIZE)
    return _spelled(mask + _xor(mask, secret))


def check_csrf(request: Request, token: object = None) -> None:
    """Forbidden (403) unless *token* is one that `csrf_token` gave this session.

    *token* is what the form's field says; without it, the header X-CSRF-Token.
    """
    if token is None:
        token = request.headers.get(HEADER)
    # Nothing is made for who asks, as secret() would.
    if not any(_matches(token, secret) for secret in request.session.secrets()):
        raise Forbidden(_REFUSED)


def _matches(token: object, secret: bytes) -> bool:
    if not isinstance(token, str):
        return False
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        return False
    mask, masked = raw[:SECRET_SIZE], raw[SECRET_SIZE:]
    # In constant time: how long it takes says nothing of how much was right.
    return len(masked) == SECRET_SIZE and hmac.compare_digest(
        _xor(mask, masked), secret
    )


def _spelled(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
