"""The handshake of a WebSocket: may this request become one? (RFC 6455 section 4)"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Collection, Sequence

from trioweb.rules.headers import TOKEN, Headers, parse_list
from trioweb.rules.origin import foreign

# RFC 6455 1.3: what shows that the key was read by somebody who knows the protocol.
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

# RFC 6455 4.1: random bytes behind a key.
_KEY_SIZE = 16

# RFC 6455 4.2.2: the one version that there is.
VERSION = "13"

# In a list of origins, any.
ANY_ORIGIN = "*"

# What a 426 must say (RFC 9110 15.5.22), and that it is about this connection.
_UPGRADE = {"upgrade": "websocket", "connection": "upgrade"}


class Refusal(Exception):
    """No WebSocket comes of the request: answer with this status, detail and fields."""

    def __init__(
        self, status: int, detail: str, fields: dict[str, str] | None = None
    ) -> None:
        super().__init__(status, detail)
        self.status = status
        self.detail = detail
        self.fields = fields or {}


def agree(headers: Headers, upgrade: str | None, version: str) -> dict[str, str]:
    """The fields that accept the WebSocket a GET with these *headers* asks for.

    *upgrade* is the protocol it asks for, *version* that of HTTP; on HTTP/2 there is no
    key, and nothing to be said (RFC 8441 section 5).  Raises Refusal for what is no
    handshake, or a malformed one.
    """
    if upgrade != "websocket":
        raise _not_asked(version)
    if headers.get("transfer-encoding") or headers.get("content-length", "0") != "0":
        raise Refusal(400, "a handshake has no content")
    asked = headers.get("sec-websocket-version")
    if asked is None:
        raise Refusal(400, "a handshake says its Sec-WebSocket-Version")
    if asked != VERSION:
        raise Refusal(
            426 if version == "1.1" else 400,
            f"version {VERSION} of the protocol is spoken here",
            {
                **(_UPGRADE if version == "1.1" else {}),
                "sec-websocket-version": VERSION,
            },
        )
    if version != "1.1":
        return {}
    key = headers.get("sec-websocket-key", "")
    return {"upgrade": "websocket", "sec-websocket-accept": accept(key)}


def accept(key: str) -> str:
    """The Sec-WebSocket-Accept that answers *key* (RFC 6455 section 4.2.2).

    Refusal if it is none, or several.

    >>> accept("dGhlIHNhbXBsZSBub25jZQ==")
    's3pPLMBiTxaQ9kYGzzhZRbK+xOo='
    """
    try:
        size = len(base64.b64decode(key, validate=True))
    except (binascii.Error, ValueError):
        size = 0
    if size != _KEY_SIZE:
        raise Refusal(400, "the Sec-WebSocket-Key is not 16 bytes in base64")
    digest = hashlib.sha1(key.encode("ascii") + _GUID, usedforsecurity=False).digest()
    return base64.b64encode(digest).decode("ascii")


def check_origin(
    headers: Headers, authority: str, origins: Collection[str] = ()
) -> None:
    """Refusal (403) for what the page of another site has asked for.

    A browser lets any page open a WebSocket to any host, with that host's cookies, and
    says only where the page is from.  *authority* is the host the request is for;
    *origins*, as "https://www.example.com", are pages that may, and "*" is any.
    """
    if ANY_ORIGIN in origins:
        return
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if foreign(site, origin, authority, origins):
        raise Refusal(403, "pages of another site may not open this WebSocket")


def choose(headers: Headers, ours: Sequence[str]) -> str | None:
    """The subprotocol of *ours* that the peer likes best; None without one in common.

    Refusal (400) for what is no list of different tokens (RFC 6455 section 4.1).
    """
    theirs = parse_list(headers.get("sec-websocket-protocol", ""))
    if len(set(theirs)) < len(theirs) or not all(map(TOKEN.fullmatch, theirs)):
        raise Refusal(400, "the Sec-WebSocket-Protocol is no list of different tokens")
    return next((protocol for protocol in theirs if protocol in ours), None)


def _not_asked(version: str) -> Refusal:
    # Only HTTP/1.1 knows Upgrade, and what a peer of 1.0 is told it would do well to
    # come back with; in HTTP/2 the field is malformed.
    if version in {"1.0", "1.1"}:
        return Refusal(426, "this is for WebSockets", _UPGRADE)
    return Refusal(400, "this is for WebSockets")
