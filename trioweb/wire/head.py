"""Head: the fields of a response, whichever protocol then writes them."""

from __future__ import annotations

from trioweb.message.response import Response
from trioweb.rules.status import bodiless
from trioweb.rules.trailers import FORBIDDEN
from trioweb.wire.limits import RESPONSE_HEAD
from trioweb.wire.service import DateField

RawFields = list[tuple[bytes, bytes]]

# Framing of content, where there never is any (RFC 9112 section 6.1, RFC 9110 section
# 8.6); a 304 may say how long the content would be.
_NO_FRAMING = {
    204: frozenset({b"content-length", b"transfer-encoding"}),
    304: frozenset({b"transfer-encoding"}),
}


def fields_of(response: Response, length: int | None, date: DateField) -> RawFields:
    """The fields of *response*; *length* of its content in bytes, if it is known."""
    headers, status = response.headers, response.status
    fields = headers.raw.copy()
    names = [name for name, _ in fields]
    if bodiless(status):
        unfit = _NO_FRAMING.get(status, frozenset())
        fields = [line for line in fields if line[0] not in unfit]
    elif length is not None and b"content-length" not in names:
        fields.append((b"content-length", b"%d" % length))
    if b"date" not in names:
        fields.append((b"date", date.now()))
    return fields


def check_size(size: int) -> None:
    """ValueError where a head of *size* bytes is more than peers read."""
    if size > RESPONSE_HEAD:
        msg = f"the response's head has {size} bytes, more than a peer reads"
        raise ValueError(msg)


def trailers_of(response: Response) -> RawFields:
    """The fields to follow the content; ValueError for one that must come before it."""
    if response.trailers is None:
        return []
    for name, _ in response.trailers.raw:
        if name in FORBIDDEN:
            msg = f"{name.decode()} cannot be a trailer; set it in the headers"
            raise ValueError(msg)
    return response.trailers.raw
