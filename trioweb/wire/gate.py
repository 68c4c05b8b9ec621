"""The gate: is this head one that every reader reads alike? (RFC 9112 sections 2 to 6)

It stands in front of h11, which is lenient where two servers could disagree.  Nothing
is repaired here: what is ambiguous is refused, and the connection closed, because the
bytes that follow an ambiguous head may be somebody else's request.  Every repetition is
possessive, so no expression ever goes back: a match takes time linear in the head.
"""

from __future__ import annotations

import re

import msgspec

from trioweb.message.errors import BadRequest, HTTPError
from trioweb.rules.headers import LENGTH
from trioweb.rules.methods import REGISTERED
from trioweb.rules.target import Target, TargetError, parse_authority, parse_target
from trioweb.wire.limits import Limits

TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"

_REQUEST_LINE = re.compile(
    rb"(?P<method>"
    + TOKEN
    + rb") (?P<target>[\x21-\xff]++) HTTP/1\.(?P<minor>[01])\r\n"
)
_OTHER_VERSION = re.compile(
    rb"[^\r\n ]++ [^\r\n ]++ HTTP/(?!1\.[01]\r)[0-9]\.[0-9]\r\n"
)
_FIELD = re.compile(rb"(" + TOKEN + rb"):([\t\x20-\x7e\x80-\xff]*+)\r\n")

# What no head holds, so that garbage, TLS or a bare line end is answered at once.
_NEVER = re.compile(rb"(?<!\r)\n|\r(?!\n)(?!\Z)|[\0-\x08\x0b\x0c\x0e-\x1f\x7f]")

# All that a head may hold besides its line ends.  What is left of one without it are
# these: to take it away at once is ten times as quick as to match each line.
TEXT = bytes({*range(0x20, 0x100), 0x09} - {0x7F})

# How a peer begins that speaks HTTP/2 and nothing else (RFC 9113 section 3.4).
_PREFACE = b"PRI * "

# Methods are short; the longest in the registry has 17 letters.
_LONGEST_METHOD = 32


class Head(msgspec.Struct, frozen=True):
    """A request head that has passed: exactly one reading.

    One is made for each request: a frozen dataclass takes eight times as long.
    """

    raw: bytes  # what h11 is given
    method: str
    target: Target
    minor: int  # of the version: HTTP/1.0 or HTTP/1.1
    fields: list[tuple[bytes, bytes]]  # lower-case names, values without edge spaces
    length: int  # of the content, bytes; 0 when there is none
    chunked: bool
    upgrade: bool  # names a protocol to switch to
    closes: bool  # says of the connection that it ends, and nothing else


def find_end(buffer: bytearray, since: int, limits: Limits) -> int:
    """Where the head in *buffer* ends, -1 when there is more to come.

    *since*: how much of the buffer was there at the last call.  Raises HTTPError as
    soon as what is there cannot become a head, however it was split.
    """
    end = buffer.find(b"\r\n\r\n", max(0, since - 3))
    size = len(buffer) if end < 0 else end + 4
    # The line is judged first: an endless target is a 414, not a 431.
    line = limits.request_line + len(b"\r\n")
    if size >= line and buffer.find(b"\r\n", 0, line) < 0:
        _require_text(buffer, 0, line - 1)
        raise HTTPError(
            414, f"the request line is longer than {limits.request_line} bytes"
        )
    if size > limits.head:
        _require_text(buffer, 0, limits.head)
        raise HTTPError(431, f"the head is larger than {limits.head} bytes")
    if end < 0:
        _require_text(buffer, max(0, since - 1), size)
        return -1
    return size


def check(raw: bytes, limits: Limits) -> Head:
    """The head in *raw*, all of it, if it has exactly one reading; HTTPError if not."""
    try:
        return _checked(raw, limits)
    except HTTPError:
        # In pieces the same head would have been refused for this, before its end.
        _require_text(raw, 0, len(raw))
        raise


def _require_text(head: bytes | bytearray, start: int, end: int) -> None:
    if _NEVER.search(head, start, end):
        raise BadRequest("a head is lines of text that end with CR LF")


def _checked(raw: bytes, limits: Limits) -> Head:
    line = _REQUEST_LINE.match(raw)
    if line is None:
        raise _odd_line(raw)
    method = line["method"].decode("ascii")
    check_method(method)
    minor = int(line["minor"])
    fields = _fields(raw, line.end(), limits)
    named: dict[bytes, bytes] = {}
    for name, value in fields:
        if name in _ONCE and name in named:
            raise BadRequest(f"more than one {name.decode()} field")
        named[name] = value
    target = _target(method, line["target"])
    _check_host(named.get(b"host"), target, minor)
    check_expectation(named.get(b"expect"))
    chunked = _check_coding(named, minor)
    return Head(
        raw,
        method,
        target,
        minor,
        fields,
        0 if chunked else _length(named.get(b"content-length")),
        chunked,
        b"upgrade" in named,
        named.get(b"connection", b"").lower() == b"close",
    )


# Two of these would give a request two hosts, two lengths, two framings.
_ONCE = frozenset({b"host", b"content-length", b"transfer-encoding", b"expect"})


def _odd_line(raw: bytes) -> HTTPError:
    line = raw[: raw.find(b"\r\n") + 2]
    if line.startswith(_PREFACE):
        return BadRequest("HTTP/2 is not spoken here")
    if _OTHER_VERSION.fullmatch(line):
        return HTTPError(505, "HTTP/1.0 and HTTP/1.1 are spoken here")
    return BadRequest("the request line is malformed")


def _fields(raw: bytes, at: int, limits: Limits) -> list[tuple[bytes, bytes]]:
    fields: list[tuple[bytes, bytes]] = []
    end = len(raw) - len(b"\r\n")
    while at < end:
        field = _FIELD.match(raw, at)
        if field is None:
            raise BadRequest("a header field is malformed")
        if len(fields) == limits.fields:
            raise HTTPError(431, f"more than {limits.fields} header fields")
        fields.append((field[1].lower(), field[2].strip(b" \t")))
        at = field.end()
    return fields


def _target(method: str, target: bytes) -> Target:
    try:
        return parse_target(method, target)
    except TargetError as error:
        raise BadRequest(f"the target is malformed: {error}") from error


def _check_host(host: bytes | None, target: Target, minor: int) -> None:
    if host is None:
        if minor == 1:
            raise BadRequest("a request must name its host")
        return
    try:
        named = parse_authority(host.decode("latin-1"))
    except TargetError as error:
        raise BadRequest(f"the host is malformed: {error}") from error
    # RFC 9112 3.2.2 has the target win; a proxy that differs would see another site.
    if target.authority is not None and parse_authority(target.authority) != named:
        raise BadRequest("the target and the host field name different hosts")


def check_method(method: str) -> None:
    """HTTPError (501) for a method that no handler is asked for."""
    if len(method) > _LONGEST_METHOD or method not in REGISTERED or method == "CONNECT":
        raise HTTPError(501, "this method is not known here")


def check_expectation(expectation: bytes | None) -> None:
    """HTTPError (417) unless the peer expects nothing but 100 (RFC 9110 10.1.1)."""
    if expectation is not None and expectation.lower() != b"100-continue":
        raise HTTPError(417, "the only expectation known here is 100-continue")


def _check_coding(named: dict[bytes, bytes], minor: int) -> bool:
    coding = named.get(b"transfer-encoding")
    if coding is None:
        return False
    if minor == 0 or b"content-length" in named:
        raise BadRequest("the length of the content is given in two ways")
    if coding.lower() != b"chunked":
        raise HTTPError(501, "the only transfer coding known here is chunked")
    return True


def _length(value: bytes | None) -> int:
    if value is None:
        return 0
    if not LENGTH.fullmatch(value):
        raise BadRequest("the content-length is malformed")
    return int(value)
