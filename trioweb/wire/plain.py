"""Plain heads: those of most requests, read in few steps (RFC 9112 sections 2 to 6).

What is plain has one reading by the look of it, says nothing of how the connection goes
on, and gives its content a length or has none: so nothing is left for a state machine
to keep track of.  Whatever else there is, is the gate's to judge, and to refuse.
"""

from __future__ import annotations

import re
from functools import lru_cache

from trioweb.rules.headers import LENGTH
from trioweb.rules.target import Target, TargetError, parse_authority
from trioweb.wire.gate import TEXT, TOKEN, Head
from trioweb.wire.limits import Limits

# No escape, backslash or fragment in the path, whose segments are then what they seem.
_LINE = re.compile(
    rb"(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) "
    rb"(/[!\"$&->@-\[\]-~]*+)(?:\?([!\"$-~]*+))? HTTP/1\.1\r\n"
)
_END = b"\r\n\r\n"
_KEEP = b"keep-alive"
_TOKEN = re.compile(TOKEN)

# Field names as peers write them, and as they are kept.  It saves the check that a name
# is a token, and the making of a second string.
_NAMES = {
    spelled: name.lower()
    for name in (
        b"Accept Accept-Charset Accept-Encoding Accept-Language Authorization "
        b"Cache-Control Content-Encoding Content-Language Content-Type Cookie DNT Date "
        b"Forwarded From If-Match If-Modified-Since If-None-Match If-Range "
        b"If-Unmodified-Since Origin Pragma Priority Range Referer Sec-CH-UA "
        b"Sec-CH-UA-Mobile Sec-CH-UA-Platform Sec-Fetch-Dest Sec-Fetch-Mode "
        b"Sec-Fetch-Site Sec-Fetch-User Traceparent Tracestate "
        b"Upgrade-Insecure-Requests User-Agent Via X-Forwarded-For X-Forwarded-Host "
        b"X-Forwarded-Proto X-Real-IP X-Request-ID X-Requested-With"
    ).split()
    for spelled in (name, name.lower())
}

# What says where the content ends or how the connection goes on: each once, if at all.
_MINDED = frozenset(
    {
        b"connection",
        b"content-length",
        b"expect",
        b"host",
        b"transfer-encoding",
        b"upgrade",
    }
)

# Hosts that are remembered as names: a server is asked for a few, and to take one apart
# costs as much as five other fields.
_HOSTS = 256

_Fields = list[tuple[bytes, bytes]]


def plain_head(raw: bytes, limits: Limits) -> Head | None:
    """The head in *raw*, all of it, if it is plain; None if the gate must say."""
    line = _LINE.match(raw)
    if line is None or len(raw) > limits.request_line or len(raw) > limits.head:
        return None
    method, path, query = line.groups()
    block = raw[line.end() : -len(_END)]
    lines = block.split(b"\r\n")
    ends = 2 * (len(lines) - 1)
    if len(block.translate(None, TEXT)) != ends or len(lines) > limits.fields:
        return None
    fields: _Fields = []
    length = _read(lines, fields)
    if length is None or b"/." in path:
        return None
    text = path.decode("ascii")
    target = Target(
        text,
        tuple(text[1:].split("/")),
        text,
        query.decode("ascii") if query else "",
    )
    return Head(raw, method.decode("ascii"), target, 1, fields, length, False, False)


def _read(lines: list[bytes], fields: _Fields) -> int | None:
    """Add what *lines* say to *fields*; how much content is to come, if it is plain."""
    minded: dict[bytes, bytes] = {}
    known = _NAMES.get
    for line in lines:
        name, colon, value = line.partition(b":")
        value = value.strip(b" \t")
        lower = known(name)
        if lower is None or not colon:
            lower = name.lower()
            if lower in _MINDED:
                if lower in minded:
                    return None
                minded[lower] = value
            elif not colon or not _TOKEN.fullmatch(name):
                return None
        fields.append((lower, value))
    return _length(minded)


def _length(minded: dict[bytes, bytes]) -> int | None:
    if not _is_host(minded.pop(b"host", b"")):
        return None
    if not minded:
        return 0
    if minded.pop(b"connection", _KEEP).lower() != _KEEP:
        return None
    length = minded.pop(b"content-length", b"0")
    return None if minded or not LENGTH.fullmatch(length) else int(length)


@lru_cache(_HOSTS)
def _is_host(value: bytes) -> bool:
    try:
        parse_authority(value.decode("latin-1"))
    except TargetError:
        return False
    return True
