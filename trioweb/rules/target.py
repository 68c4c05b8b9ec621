"""Request targets and authorities, taken apart once (RFC 9112 section 3.2, RFC 3986).

The path is split at "/" first and each segment is decoded after that, exactly once: so
an encoded slash never makes a segment, and nothing is decoded a second time further in.
"""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes

# What no form of target may contain (RFC 3986 section 2): controls, space, bytes
# outside ASCII, and the fragment, which a peer must keep to itself.
_FORBIDDEN = re.compile(rb"[\x00-\x20#\x7f-\xff]")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")

# RFC 3986 3.2: host and port.  reg-name without the comma, which is legal there and
# would let a joined list of two Host fields pass for one host.
_AUTHORITY = re.compile(
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|(?:[A-Za-z0-9\-._~!$&'()*+;=]|%[0-9A-Fa-f]{2})+)"
    r"(?::(?P<port>[0-9]*))?"
)

# Authority, characters.  The longest name DNS can hold is 253 (RFC 1035 3.1); what is
# longer names no host of ours and would only travel through logs and links.
AUTHORITY_LIMIT = 255

PORT_LIMIT = 65535  # a 16 bit number in TCP (RFC 9293 3.1)

# RFC 3986 3.3: what stands unencoded in a segment, besides letters, digits and -._~
_SEGMENT_SAFE = "!$&'()*+,;=:@"


class TargetError(ValueError):
    """A target or an authority that HTTP does not allow; the message says why."""


class PathError(TargetError):
    """A path of the right form that names nothing: its escapes or dots are wrong."""


class Target(NamedTuple):
    """What a request asks for.

    *segments* are decoded: "/" is ("",), "/a/" is ("a", ""), and the asterisk of
    OPTIONS has none.  *path* is the segments joined by "/", for people to read: with an
    encoded slash it is ambiguous, so decisions use the segments.  *raw_path* is the
    path as it was received, *query* what followed "?", not decoded.  *scheme* (in lower
    case) and *authority* (as received) come from the absolute form.
    """

    path: str
    segments: tuple[str, ...]
    raw_path: str
    query: str
    authority: str | None = None
    scheme: str | None = None


def parse_target(method: str, target: bytes) -> Target:
    """The target of a request line or of :path; TargetError if it is not allowed.

    >>> parse_target("GET", b"/%ED%95%9C/a%2Fb?x=1").segments
    ('한', 'a/b')
    """
    if bad := _FORBIDDEN.search(target):
        raise TargetError(f"the target contains {bad[0]!r}")
    text = target.decode("ascii")
    if text.startswith("/"):
        return _origin(text)
    if text == "*" and method == "OPTIONS":
        return Target("*", (), "*", "")
    return _absolute(text)


def _origin(
    text: str, scheme: str | None = None, authority: str | None = None
) -> Target:
    raw, _, query = text.partition("?")
    if "\\" in raw:
        # Some software takes it for a slash, and would see two segments in our one.
        raise TargetError("the path contains a backslash")
    segments = tuple(raw[1:].split("/"))
    # Most targets have neither an escape nor a segment that begins with a dot.
    if "%" not in raw and "/." not in raw:
        return Target(raw, segments, raw, query, authority, scheme)
    segments = _without_dots([_decoded(segment) for segment in segments])
    path = "/" + "/".join(segments)
    return Target(path, segments, raw, query, authority, scheme)


def _decoded(segment: str) -> str:
    if "%" not in segment:
        return segment
    if _BAD_ESCAPE.search(segment):
        raise PathError("the path contains a % that begins no escape")
    try:
        text = unquote_to_bytes(segment).decode("utf-8")
    except UnicodeDecodeError:
        raise PathError("the path is not encoded in UTF-8") from None
    if "\x00" in text:
        raise PathError("the path contains %00")
    return text


def _without_dots(segments: list[str]) -> tuple[str, ...]:
    # RFC 3986 5.2.4, but one step above the root is refused where the RFC ignores it:
    # an honest peer has resolved its dots before sending.
    kept: list[str] = []
    for segment in segments:
        if segment == "..":
            if not kept:
                raise PathError("the path climbs above its root")
            kept.pop()
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in {".", ".."}:
        kept.append("")
    return tuple(kept)


def _absolute(text: str) -> Target:
    scheme, mark, rest = text.partition("://")
    scheme = scheme.lower()
    if not mark or scheme not in {"http", "https"}:
        raise TargetError("the target must start with /, http:// or https://")
    # RFC 3986 3.2: the authority ends at the first slash or question mark.
    authority = re.split("[/?]", rest, maxsplit=1)[0]
    parse_authority(authority)
    path = rest[len(authority) :]
    # RFC 9110 4.2.3: an empty path is the root.
    return _origin(path if path.startswith("/") else "/" + path, scheme, authority)


def parse_authority(value: str) -> tuple[str, int | None]:
    """The host in lower case and the port, if one is given (RFC 9110 7.2).

    An IPv6 address keeps its brackets.  TargetError for an empty host, user names, a
    list, a path, a port above 65535 and more than 255 characters.

    >>> parse_authority("Example.org:8080")
    ('example.org', 8080)
    """
    if len(value) > AUTHORITY_LIMIT:
        raise TargetError(f"the host is longer than {AUTHORITY_LIMIT} characters")
    match = _AUTHORITY.fullmatch(value)
    if match is None:
        raise TargetError("the host is not a name or an address with an optional port")
    host, digits = match["host"].lower(), match["port"]
    if host.startswith("["):
        _require_ipv6(host[1:-1])
    # RFC 3986 3.2.3: a colon with nothing behind it means the default port.
    if not digits:
        return host, None
    port = int(digits)
    if port > PORT_LIMIT:
        raise TargetError(f"the port is above {PORT_LIMIT}")
    return host, port


def _require_ipv6(address: str) -> None:
    try:
        ipaddress.IPv6Address(address)
    except ValueError:
        raise TargetError("the host is in brackets but no IPv6 address") from None


def encode_segment(text: str) -> str:
    """One path segment percent-encoded as UTF-8; a slash in it becomes %2F.

    UnicodeEncodeError (a ValueError) for half a surrogate pair.

    >>> encode_segment("a/b ü")
    'a%2Fb%20%C3%BC'
    """
    return quote(text, safe=_SEGMENT_SAFE)


def encode_path(path: str) -> str:
    """A whole path percent-encoded as UTF-8; its slashes stay.

    UnicodeEncodeError (a ValueError) for half a surrogate pair.
    """
    return quote(path, safe=_SEGMENT_SAFE + "/")
