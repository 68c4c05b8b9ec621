"""Answers: what a handler may return, and helpers that say more than a value can."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from types import NoneType
from typing import Any, ClassVar, Protocol
from urllib.parse import quote

import msgspec

from trioweb.message.errors import Fields
from trioweb.message.response import BodyWriter, Response
from trioweb.rules.headers import Headers, field_value
from trioweb.rules.target import TargetError, parse_authority


class Dataclass(Protocol):
    """An instance of a dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Any]]  # as the standard library types it


Answer = (
    Response
    | msgspec.Struct
    | Dataclass
    | Mapping[str, object]
    | Sequence[object]
    | str
    | bytes
    | None
)
"""What a handler returns: a Response, or the content of a 200 (None: a 204)."""

Line = tuple[bytes, bytes]

# Fields as they go to the wire: the same bytes for every response.
_PLAIN: Line = (b"content-type", b"text/plain; charset=utf-8")
_HTML: Line = (b"content-type", b"text/html; charset=utf-8")
_JSON: Line = (b"content-type", b"application/json")
_OCTETS: Line = (b"content-type", b"application/octet-stream")

# Without it a browser may take text that a peer has written for markup, and run it.
NOSNIFF: Line = (b"x-content-type-options", b"nosniff")

_REDIRECTIONS = frozenset({301, 302, 303, 307, 308})

# What stays as it is in a Location (RFC 3986 section 2.2 and the escapes); the rest is
# percent-encoded, the backslash too, which browsers take for a slash.
_LOCATION_SAFE = "!#$%&'()*+,/:;=?@[]~"

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ABSOLUTE = re.compile(r"https?://([^/?#]*)", re.IGNORECASE)


def respond(answer: object, name: str) -> Response:
    """The Response that *answer* stands for.

    TypeError that names the handler by *name* and says the remedy for anything that is
    no `Answer`, and for a value that has no form in JSON.
    """
    make = _BY_TYPE.get(type(answer)) or _by_kind(answer, name)
    try:
        return make(answer)
    except TypeError as error:
        msg = f"{name} returned what has no form in JSON: {error}"
        raise TypeError(msg) from error


def text(content: str, status: int = 200, *, headers: Fields = ()) -> Response:
    """Plain text in UTF-8."""
    return Response(status, _fields(_PLAIN, NOSNIFF, more=headers), content.encode())


def html(content: str, status: int = 200, *, headers: Fields = ()) -> Response:
    """Markup in UTF-8, sent as it is: escape what came from outside (html.escape)."""
    return Response(status, _fields(_HTML, NOSNIFF, more=headers), content.encode())


def json(value: object, status: int = 200, *, headers: Fields = ()) -> Response:
    """*value* as JSON (RFC 8259): what msgspec encodes, and any Mapping or Sequence.

    TypeError for what has no form in JSON.
    """
    return Response(status, _fields(_JSON, more=headers), encoded_json(value))


def encoded_json(value: object) -> bytes:
    """*value* in the form that `json` gives it; TypeError for what has none."""
    return _encoder.encode(value)


def stream(
    writer: BodyWriter,
    content_type: str = "application/octet-stream",
    status: int = 200,
    *,
    headers: Fields = (),
) -> Response:
    """A body that *writer* writes piece by piece: ``async def writer(send)``.

    It runs after the handler has returned and owns what it opens; ``await send(piece)``
    waits while the peer reads slowly.  TypeError for what cannot be called.
    """
    if not callable(writer):
        msg = f"stream() takes an async function that is handed send, not {writer!r}"
        raise TypeError(msg)
    line = (b"content-type", field_value("content-type", content_type))
    return Response(status, _fields(line, NOSNIFF, more=headers), writer)


def redirect(
    location: str, status: int = 303, *, external: bool = False, headers: Fields = ()
) -> Response:
    """See *location*: a path that starts with one "/", or a query that starts with "?".

    303 by default: after a POST the browser must GET, or reloading posts again; a GET
    stays one (RFC 9110 section 15.4.4).  ValueError for whatever a browser would take
    to another site, unless *external* says so: then *location* is an absolute http or
    https URL.  What has no place in a URL is percent-encoded, controls are refused.
    """
    if status not in _REDIRECTIONS:
        msg = (
            f"a redirect has one of the statuses {sorted(_REDIRECTIONS)}, not {status}"
        )
        raise ValueError(msg)
    line = (b"location", _location(location, external=external))
    return Response(status, _fields(line, more=headers))


def _location(location: str, *, external: bool) -> bytes:
    if bad := _CONTROL.search(location):
        msg = f"the location {location!r} contains {bad[0]!r}; percent-encode it"
        raise ValueError(msg)
    if external:
        _require_absolute(location)
    elif not location.startswith(("/", "?")) or location[:2] in {"//", "/\\"}:
        msg = (
            f"the location {location!r} does not stay on this site; start it with one "
            "slash or say external=True for an absolute URL"
        )
        raise ValueError(msg)
    return quote(location, safe=_LOCATION_SAFE).encode("ascii")


def _require_absolute(location: str) -> None:
    match = _ABSOLUTE.match(location)
    if match is None:
        msg = f"the location {location!r} is no absolute URL; start it with https://"
        raise ValueError(msg)
    try:
        parse_authority(match[1])
    except TargetError as error:
        msg = f"the location {location!r} leads nowhere: {error}"
        raise ValueError(msg) from None


def _fields(*lines: Line, more: Fields = ()) -> Headers:
    fields = Headers.from_wire([*lines])
    if more:
        fields.update(Headers(more))
    return fields


def _by_kind(answer: object, name: str) -> Callable[[Any], Response]:
    for kind, make in _BY_KIND:
        if isinstance(answer, kind):
            return make
    if dataclasses.is_dataclass(answer) or hasattr(answer, "__attrs_attrs__"):
        # Of such a class itself there is no value to send.
        if not isinstance(answer, type):
            return json
    msg = (
        f"{name} returned {_described(answer)}; return a Response, text, bytes, None "
        "or a JSON object or array, or say json(value)"
    )
    raise TypeError(msg)


def _described(answer: object) -> str:
    kind = type(answer).__name__
    if hasattr(answer, "__await__"):
        return f"a {kind} that was not awaited"
    return f"a value of type {kind}"


def _itself(response: Response) -> Response:
    return response


def _octets(content: bytes | bytearray | memoryview) -> Response:
    return Response(200, _fields(_OCTETS, NOSNIFF), bytes(content))


def _nothing(_: None) -> Response:
    return Response(204)


# The usual values by their exact type, which is quick; the others in this order: text
# and octets are sequences too.
_BY_TYPE: dict[type, Callable[[Any], Response]] = {
    Response: _itself,
    str: text,
    bytes: _octets,
    NoneType: _nothing,
    dict: json,
    list: json,
}
_BY_KIND: tuple[tuple[Any, Callable[[Any], Response]], ...] = (
    (Response, _itself),
    (str, text),
    (bytes | bytearray | memoryview, _octets),
    (msgspec.Struct | Mapping | Sequence, json),
)


def _plain(value: object) -> object:
    # What msgspec does not know by itself: mappings and sequences of other classes.
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence):
        return list(value)
    msg = f"there is none for a value of type {type(value).__name__}"
    raise TypeError(msg)


_encoder = msgspec.json.Encoder(enc_hook=_plain)
