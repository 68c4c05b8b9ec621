"""The first message of a peer, read before OpenSSL does: its curves, and its name.

OpenSSL by itself also agrees on X448 and P-521, which nobody needs, and Python lets one
choose a single curve and no list.  So there is a context for each, and the peer's own
list decides (RFC 8446 section 4.2.7).  And of a name that is no text Python would print
a traceback for whoever sends one.
"""

from __future__ import annotations

# The first byte of every TLS connection: the type of a handshake's record (RFC 8446
# section 5.1).
HANDSHAKE = b"\x16"

# Bytes of the first record, at most: with its head.
LONGEST = 5 + 16 * 1024

_CLIENT_HELLO = b"\1"
_SERVER_NAME = 0
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


def complete(record: bytes | bytearray) -> bool:
    """Whether the first record is there, or will never be one."""
    if record[:1] != HANDSHAKE:
        return bool(record)
    size = 5 + _number(record[3:5])
    return len(record) >= 5 and (size > LONGEST or len(record) >= size)


def sound(hello: bytes | bytearray) -> bool:
    """Whether *hello* is a handshake's, and asks for no name that is not ASCII."""
    return hello[:1] == HANDSHAKE and _extension(hello, _SERVER_NAME).isascii()


def curve_for(hello: bytes | bytearray, *, hybrid: bool = False) -> str | None:
    """The curve to agree on with whoever sent *hello*, the first record of all.

    None where *hybrid* is to be had and asked for: OpenSSL's own list.
    """
    offered = groups(hello)
    if hybrid and HYBRID in offered:
        return None
    return next((CURVES[each] for each in CURVES if each in offered), FALLBACK)


def groups(hello: bytes | bytearray) -> frozenset[int]:
    """The numbers of the curves that *hello* offers; none if it is no such message.

    What is malformed is none of ours: OpenSSL reads the same, and refuses it.
    """
    listed = _extension(hello, _SUPPORTED_GROUPS)[2:]
    pairs = range(0, len(listed) - 1, 2)
    return frozenset(_number(listed[each : each + 2]) for each in pairs)


def _extension(hello: bytes | bytearray, wanted: int) -> bytes | bytearray:
    """What *hello* holds of that kind; empty if there is none."""
    if hello[5:6] != _CLIENT_HELLO:
        return b""
    at = 5 + 4 + 2 + 32  # the heads of record and message, its version and random
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
