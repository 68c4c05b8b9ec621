"""Fields: what a session holds, each value by itself as JSON in bytes."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import msgspec

Fields = Mapping[str, bytes]
"""Names and their values as JSON."""

# One session, bytes: its names and its values as JSON.  It is read with every request,
# so it is for what names things, not for the things (express-session and Django set no
# limit, and a session that grows is found when the store is full).
SESSION_LIMIT = 16 * 1024

_encoder = msgspec.json.Encoder()


def encoded(key: str, value: object) -> bytes:
    """*value* as JSON; TypeError that names *key* where JSON cannot say it."""
    try:
        return _encoder.encode(value)
    except (TypeError, ValueError, RecursionError) as error:
        # Under msgspec's message is no name, and the session has many.
        msg = (
            f"session[{key!r}] cannot be stored: {error}; give "
            "what JSON can say, a datetime, UUID, bytes, Struct or dataclass"
        )
        raise TypeError(msg) from error


def decoded(field: bytes, type: Any = Any) -> Any:  # noqa: A002, ANN401
    """What *field* says, as *type*; msgspec.DecodeError where it does not fit."""
    return _decoder(type).decode(field)


def sound(fields: Fields) -> bool:
    """Whether every field is JSON: what came out of a store need not have gone in."""
    try:
        for field in fields.values():
            decoded(field)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def size(fields: Fields) -> int:
    """The bytes that count against SESSION_LIMIT."""
    names = "".join(fields)
    length = len(names) if names.isascii() else len(names.encode())
    return length + sum(map(len, fields.values()))


# One for each type: bounded, because types can be made while a program runs.
@functools.lru_cache(maxsize=1024)
def _decoder(type: Any) -> msgspec.json.Decoder[Any]:  # noqa: A002, ANN401
    return msgspec.json.Decoder(type)
