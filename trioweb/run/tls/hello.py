"""The first message of a peer, read before OpenSSL does: its curves, and its name.

OpenSSL by itself also agrees on X448 and P-521, which nobody needs, and Python lets one
choose a single curve and no list.  So there is a context for each, and the peer's own
list decides (RFC 8446 section 4.2.7).

The name is read here too, and OpenSSL is not asked for it: Python would print a
traceback for every name that is no text, also in the second of two first messages
(section 4.1.2), and call back for each.
"""

from __future__ import annotations

from trioweb.run.tls.bounds import RECORD

# The first byte of every TLS connection: the type of a handshake's record (RFC 8446
# section 5.1).
HANDSHAKE = b"\x16"

# Bytes of the first message with the heads of its records, at most.  Browsers send
# 2 kB.
LONGEST = 5 + RECORD

# Records that it may be split into.  Some split it once, so that nobody on the way
# reads the name; each is looked at anew whenever a byte comes.
_RECORDS = 16

_CLIENT_HELLO = b"\1"
_SERVER_NAME = 0
_HOST_NAME = b"\0"
_SUPPORTED_GROUPS = 10

# Extensions that are looked at: browsers send about 20.
_EXTENSIONS = 64

# By their numbers, the best first: what Mozilla's "intermediate" profile has.
CURVES = {29: "X25519", 23: "prime256v1", 24: "secp384r1"}

# For a peer that says nothing of its curves: everybody must have it (section 9.1).
FALLBACK = "prime256v1"

# X25519 beside ML-KEM, which no later computer breaks.  An OpenSSL that has it prefers
# it by itself, and is left its own list for whoever asks.
HYBRID = 0x11EC


def first_message(begun: bytes | bytearray) -> bytes | None:
    """The ClientHello of a peer that has *begun* so, without the heads of its records.

    None while it is not whole; b"" where it will never be one, is longer than any, or
    is split into more records than any.
    """
    message, more = _joined(begun)
    whole = 4 + _number(message[1:4])
    if message[:1] not in {b"", _CLIENT_HELLO} or whole > LONGEST:
        return b""
    if len(message) >= max(whole, 4):
        return message[:whole]
    return None if more and len(begun) < LONGEST else b""


def _joined(begun: bytes | bytearray) -> tuple[bytes, bool]:
    """What the first records hold, and whether more of it may come."""
    message = b""
    at = 0
    for _ in range(_RECORDS):
        head = begun[at : at + 5]
        size = _number(head[3:])
        if head[:1] not in {b"", HANDSHAKE}:
            break
        if len(head) == 5 and not 0 < size <= RECORD:
            break
        message += begun[at + 5 : at + 5 + size]
        at += 5 + size
        if len(head) < 5 or len(begun) < at:
            return message, True
    return message, False


def name_in(hello: bytes) -> bytes:
    """The name that *hello* asks for (RFC 6066 section 3); b"" if it asks for none.

    What is malformed is none of ours: OpenSSL reads the same, and refuses it.
    """
    listed = _extension(hello, _SERVER_NAME)[2:]
    if listed[:1] != _HOST_NAME:
        return b""
    return listed[3 : 3 + _number(listed[1:3])]


def curve_for(hello: bytes, *, hybrid: bool = False) -> str | None:
    """The curve to agree on with whoever sent *hello*.

    None where *hybrid* is to be had and asked for: OpenSSL's own list.
    """
    offered = groups(hello)
    if hybrid and HYBRID in offered:
        return None
    return next((CURVES[each] for each in CURVES if each in offered), FALLBACK)


def groups(hello: bytes) -> frozenset[int]:
    """The numbers of the curves that *hello* offers; none if it is no such message."""
    listed = _extension(hello, _SUPPORTED_GROUPS)[2:]
    pairs = range(0, len(listed) - 1, 2)
    return frozenset(_number(listed[each : each + 2]) for each in pairs)


def _extension(hello: bytes, wanted: int) -> bytes:
    """What *hello* holds of that kind; empty if there is none."""
    at = 4 + 2 + 32  # the head of the message, its version and random
    for size in (1, 2, 1):  # session, ciphers, compression: each with its length
        at += size + _number(hello[at : at + size])
    at += 2  # the length of all extensions
    for _ in range(_EXTENSIONS):
        kind, size = _number(hello[at : at + 2]), _number(hello[at + 2 : at + 4])
        at += 4
        if kind == wanted:
            return hello[at : at + size]
        at += size
    return b""


def _number(data: bytes | bytearray) -> int:
    return int.from_bytes(data, "big")
