"""Pseudo: is this block of fields a request with one reading? (RFC 9113 section 8)

The fields of HTTP/2 come decoded and delimited, so anything can stand in them: a line
end, a second path, a scheme that is half a URL.  What passes here reads the same as a
head of HTTP/1.1 that has passed the gate, and makes the same Request.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from trioweb.rules.headers import CONTROL, LENGTH, TOKEN
from trioweb.rules.target import (
    PathError,
    Target,
    TargetError,
    parse_authority,
    parse_target,
)
from trioweb.rules.trailers import FORBIDDEN

Fields = Sequence[tuple[bytes, bytes]]
"""One decoded block of fields, in order; names begin with ":" in pseudo-header ones."""

# Deleting these leaves nothing of a good name and all of a good value.  Tables instead
# of expressions: a block of a few bytes on the wire can decode to 16 KiB, again and
# again, and this takes a nanosecond a byte.
_NAMES = bytes(
    code for code in range(128) if TOKEN.match(chr(code)) and not chr(code).isupper()
)
_CONTROLS = bytes(code for code in range(256) if CONTROL.match(bytes([code])))

# RFC 9113 8.3.1 and RFC 8441 section 4: all that may begin a request.
_PSEUDO = frozenset({b":method", b":scheme", b":authority", b":path", b":protocol"})

# RFC 9113 8.2.2: HTTP/1.1's fields about a connection, which HTTP/2 frames instead.
_CONNECTION = frozenset(
    {
        b"connection",
        b"proxy-connection",
        b"keep-alive",
        b"transfer-encoding",
        b"upgrade",
    }
)

# Two of these would give a request two hosts or two lengths (as in HTTP/1.1).
_ONCE = frozenset({b"host", b"content-length", b"expect"})

# RFC 9113 3.1: it was about the connection, and means nothing in a request.
_DROPPED = b"http2-settings"

_SPECIAL = _CONNECTION | _ONCE | {b"te", b"cookie", _DROPPED}

# Most methods are one of these, which need no proof.
_METHODS = {b"GET": "GET", b"HEAD": "HEAD", b"POST": "POST"}

_SCHEMES = {b"http": "http", b"https": "https"}

# Authorities whose parts are remembered: few servers have more names.
_NAMES_OF_SERVERS = 256


class Malformed(ValueError):
    """A block of fields that is no message; the stream it came on must be reset."""


class Head2(NamedTuple):
    """A request head of HTTP/2: exactly one reading.

    *fields* are as HTTP/1.1 would have them: with a host, and with one cookie field
    whatever number of crumbs it came in.  *target* is in origin form.
    """

    method: str
    target: Target
    scheme: str  # "http" or "https" in lower case, "" of a plain CONNECT
    authority: str
    fields: list[tuple[bytes, bytes]]  # lower-case names
    length: int | None  # of the content, bytes, if it is declared
    expect: bytes | None
    protocol: str | None  # what an extended CONNECT asks for (RFC 8441)


def head_of(fields: Fields, *, ended: bool = False) -> Head2:
    """The request that a block of fields is; Malformed if it is none.

    *ended*: no content follows.  Raises PathError where all is well but the path's
    escapes or dots, which is a bad request (400) rather than a malformed one.

    >>> head_of(
    ...     [
    ...         (b":method", b"GET"),
    ...         (b":scheme", b"http"),
    ...         (b":authority", b"a"),
    ...         (b":path", b"/x"),
    ...     ]
    ... ).fields
    [(b'host', b'a')]
    """
    pseudo = _pseudo(fields)
    rest, named = _regular([*fields[len(pseudo) :]])
    length = _length(named.get(b"content-length"))
    if ended and length:
        raise Malformed("content is declared that does not come")
    authority = _authority(pseudo.get(b":authority"), named.get(b"host"))
    if b"host" not in named:
        rest.insert(0, (b"host", authority))
    method = _token(pseudo.get(b":method"), ":method")
    protocol = None
    if b":protocol" in pseudo:
        protocol = _token(pseudo[b":protocol"], ":protocol")
        if method != "CONNECT":
            raise Malformed(":protocol goes with CONNECT only")
    name = authority.decode("ascii")
    if method == "CONNECT" and protocol is None:
        _require_plain(pseudo)
        target, scheme = Target("", (), "", "", name), ""
    else:
        scheme = _scheme(pseudo.get(b":scheme"))
        target = _path(method, pseudo.get(b":path"))
    return Head2(
        method, target, scheme, name, rest, length, named.get(b"expect"), protocol
    )


def trailers_of(fields: Fields) -> list[tuple[bytes, bytes]]:
    """The fields after the content, as they came; Malformed if they are no trailers."""
    require_text(fields)
    if any(name in FORBIDDEN or name in _CONNECTION for name, _ in fields):
        raise Malformed("a field is among the trailers that must come before")
    return list(fields)


def require_text(fields: Fields) -> None:
    """Malformed unless all names are tokens in lower case, and all values are text."""
    # Pseudo-header fields end up here too where they must not stand: after another
    # field, or among the trailers.
    names = [name for name, _ in fields]
    if b"".join(names).translate(None, _NAMES) or b"" in names:
        raise Malformed("the name of a field is no token in lower case")
    values = [value for _, value in fields]
    joined = b"".join(values)
    if len(joined) != len(joined.translate(None, _CONTROLS)):
        raise Malformed("the value of a field contains a control character")
    if any([value.strip(b" \t") != value for value in values]):  # noqa: C419  # faster
        raise Malformed("the value of a field begins or ends with white space")


def _pseudo(fields: Fields) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for name, value in fields:
        if not name.startswith(b":"):
            break
        if name not in _PSEUDO:
            raise Malformed("a pseudo-header field is none of a request")
        if name in found:
            raise Malformed(f"more than one {name.decode()}")
        found[name] = value
    return found


def _regular(
    fields: list[tuple[bytes, bytes]],
) -> tuple[list[tuple[bytes, bytes]], dict[bytes, bytes]]:
    """The fields to hand on, and those of them that mean something here."""
    require_text(fields)
    special = [field for field in fields if field[0] in _SPECIAL]
    if not special:
        return fields, {}
    named: dict[bytes, bytes] = {}
    for name, value in special:
        if name in _CONNECTION:
            raise Malformed(f"{name.decode()} has no place in HTTP/2")
        if name in _ONCE and name in named:
            raise Malformed(f"more than one {name.decode()} field")
        if name == b"te" and value.lower() != b"trailers":
            raise Malformed("te may say nothing but trailers")
        # RFC 9113 8.2.3: crumbs are joined before anything else sees them.
        if name == b"cookie" and name in named:
            value = (named[name] + b"; " + value).strip()  # noqa: PLW2901
        named[name] = value
    return _rejoined(fields, named), named


def _rejoined(
    fields: list[tuple[bytes, bytes]], named: dict[bytes, bytes]
) -> list[tuple[bytes, bytes]]:
    if b"cookie" not in named and _DROPPED not in named:
        return fields
    kept: list[tuple[bytes, bytes]] = []
    crumbs = False
    for field in fields:
        if field[0] == b"cookie":
            if not crumbs:
                kept.append((b"cookie", named[b"cookie"]))
            crumbs = True
        elif field[0] != _DROPPED:
            kept.append(field)
    return kept


def _token(value: bytes | None, name: str) -> str:
    if value is None:
        raise Malformed(f"{name} is missing")
    if value in _METHODS:
        return _METHODS[value]
    text = value.decode("latin-1")
    if not TOKEN.fullmatch(text):
        raise Malformed(f"{name} is no token")
    return text


def _scheme(value: bytes | None) -> str:
    scheme = None if value is None else _SCHEMES.get(value.lower())
    if scheme is None:
        raise Malformed(":scheme is neither http nor https")
    return scheme


def _authority(authority: bytes | None, host: bytes | None) -> bytes:
    if authority is None:
        authority = host
    if authority is None:
        raise Malformed("a request must name its host")
    try:
        named = _parts(authority)
        same = host is None or _parts(host) == named
    except TargetError as error:
        raise Malformed(f"the host is malformed: {error}") from error
    if not same:
        raise Malformed(":authority and the host field name different hosts")
    return authority


@lru_cache(_NAMES_OF_SERVERS)
def _parts(authority: bytes) -> tuple[str, int | None]:
    return parse_authority(authority.decode("latin-1"))


def _path(method: str, path: bytes | None) -> Target:
    # What follows would also take HTTP/1.1's absolute form.
    if path is None or not path.startswith((b"/", b"*")):
        raise Malformed(":path must begin with a slash")
    try:
        return parse_target(method, path)
    except PathError:
        raise
    except TargetError as error:
        raise Malformed(f":path is malformed: {error}") from error


def _require_plain(pseudo: Iterable[bytes]) -> None:
    # RFC 9113 8.5: what is to be connected to has no path and no scheme.
    if set(pseudo) != {b":method", b":authority"}:
        raise Malformed("CONNECT has an :authority, and neither :scheme nor :path")


def _length(value: bytes | None) -> int | None:
    if value is None:
        return None
    if not LENGTH.fullmatch(value):
        raise Malformed("the content-length is malformed")
    return int(value)
