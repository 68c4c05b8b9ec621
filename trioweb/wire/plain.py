"""Plain heads: those of most requests, read in few steps (RFC 9112 sections 2 to 6).

What is plain has one reading by the look of it, says nothing of how the connection goes
on, and gives its content a length or has none: so nothing is left for a state machine
to keep track of.  Whatever else there is, is the gate's to judge, and to refuse.
"""

from __future__ import annotations

import re
from functools import lru_cache, partial

from trioweb.rules.headers import LENGTH
from trioweb.rules.target import Target, TargetError, parse_authority
from trioweb.wire.gate import TOKEN, Head
from trioweb.wire.limits import Limits

# No escape, backslash or fragment in the path, whose segments are then what they seem;
# names that are tokens, values without controls, and each line with its own end.
_HEAD = re.compile(
    rb"(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) "
    rb"(/[!\"$&->@-\[\]-~]*+)(?:\?([!\"$-~]*+))? HTTP/1\.1\r\n"
    rb"((?:" + TOKEN + rb":[\t\x20-\x7e\x80-\xff]*+\r\n)++)\r\n"
)
_METHODS = {
    method.encode("ascii"): method
    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
}
_KEEP, _CLOSE = b"keep-alive", b"close"

# Field names as peers write them, and as they are kept: of most there is one string
# for all requests.
_NAMES = {
    spelled: name.lower()
    for name in (
        b"Accept Accept-Charset Accept-Encoding Accept-Language Authorization "
        b"Cache-Control Connection Content-Encoding Content-Language Content-Length "
        b"Content-Type Cookie DNT Date Forwarded From Host If-Match If-Modified-Since "
        b"If-None-Match If-Range If-Unmodified-Since Origin Pragma Priority Range "
        b"Referer Sec-CH-UA Sec-CH-UA-Mobile Sec-CH-UA-Platform Sec-Fetch-Dest "
        b"Sec-Fetch-Mode Sec-Fetch-Site Sec-Fetch-User Traceparent Tracestate "
        b"Upgrade-Insecure-Requests User-Agent Via X-Forwarded-For X-Forwarded-Host "
        b"X-Forwarded-Proto X-Real-IP X-Request-ID X-Requested-With"
    ).split()
    for spelled in (name, name.lower())
}

# What says where the content ends or how the connection goes on: each once, if at all.
# The first two have a plain form, the others none.
_FRAMING = frozenset({b"connection", b"content-length"})
_MINDED = _FRAMING | {b"expect", b"transfer-encoding", b"upgrade"}

# Hosts that are remembered as names: a server is asked for a few, and to take one apart
# costs as much as five other fields.
_HOSTS = 256

_Fields = list[tuple[bytes, bytes]]

# Without the call of Python's that a NamedTuple makes of its own: a third of its price.
_target = partial(tuple.__new__, Target)


def plain_head(raw: bytes, limits: Limits) -> Head | None:
    """The head in *raw*, all of it, if it is plain; None if the gate must say."""
    found = _HEAD.fullmatch(raw)
    if found is None or len(raw) > limits.request_line or len(raw) > limits.head:
        return None
    method, path, query, block = found.groups()
    lines = block[:-2].split(b"\r\n")
    if len(lines) > limits.fields or b"/." in path:
        return None
    fields = []
    for line in lines:
        spelled, _, value = line.partition(b":")
        name = _NAMES.get(spelled) or spelled.lower()
        fields.append((name, value.strip(b" \t")))
    framing = _framing(fields)
    if framing is None:
        return None
    length, closes = framing
    text = path.decode("ascii")
    segments = tuple(text[1:].split("/"))
    asked = query.decode("ascii") if query else ""
    target = _target((text, segments, text, asked, None, None))
    return Head(raw, _METHODS[method], target, 1, fields, length, False, False, closes)


def _framing(fields: _Fields) -> tuple[int, bool] | None:
    """How much content is to come, and whether the connection ends; None if not plain.

    Of all that they can say of the framing, *fields* say no more than that.
    """
    found = dict(fields)
    if len(found) < len(fields) and _repeated(fields):
        return None
    if not _is_host(found.get(b"host", b"")):
        return None
    if _MINDED.isdisjoint(found):
        return 0, False
    if not found.keys() & _MINDED <= _FRAMING:
        return None
    connection = found.get(b"connection", _KEEP).lower()
    length = found.get(b"content-length", b"0")
    if connection not in {_KEEP, _CLOSE} or not LENGTH.fullmatch(length):
        return None
    return int(length), connection == _CLOSE


def _repeated(fields: _Fields) -> bool:
    """Whether there are two of what says one thing about the whole message."""
    minded = [name for name, _ in fields if name in _MINDED or name == b"host"]
    return len(minded) > len({*minded})


@lru_cache(_HOSTS)
def _is_host(value: bytes) -> bool:
    try:
        parse_authority(value.decode("latin-1"))
    except TargetError:
        return False
    return True
