"""The lane: an answer that is all at hand, written without a state machine.

Most answers have a status, some fields and their whole content.  What their head says
of the framing is one length, and perhaps that the connection ends, so there is nothing
for h11 to keep account of.  Any other answer goes through it.
"""

from __future__ import annotations

from http import HTTPStatus

from trioweb.message.response import Response
from trioweb.rules.status import bodiless, reason
from trioweb.wire.gate import TEXT, Head
from trioweb.wire.limits import RESPONSE_HEAD

# Status lines, as they go out.
_LINES = {
    status: b"HTTP/1.1 %d %b" % (status, reason(status).encode("ascii"))
    for status in map(int, HTTPStatus)
    if status >= 200 and not bodiless(status)
}

# Fields that say how the message or the connection goes on, or that we add ourselves.
_FRAMING = frozenset(
    {
        b"connection",
        b"content-length",
        b"date",
        b"transfer-encoding",
        b"upgrade",
    }
)


def closing(asked: Head) -> bytes:
    """The field that says that the connection ends, spelled as h11 does.

    That is otherwise where its peer has asked for the end.
    """
    return b"Connection: close" if asked.closes else b"connection: close"


def whole(response: Response, date: bytes, *, bare: bool, last: bytes) -> bytes | None:
    """All of *response*, dated *date*; its head alone if *bare*; None if h11 must say.

    *last* is the field that says that the connection ends with it; b"" where it does
    not.

    Nobody could add a line to the head: it is proven to have those that it should.
    """
    body, line = response.body, _LINES.get(response.status)
    if type(body) is not bytes or line is None:
        return None
    if response.tunnel is not None or response.trailers is not None:
        return None
    lines = [line]
    for field in response.headers.raw:
        if field[0] in _FRAMING:
            return None
        lines.append(b": ".join(field))
    lines.append(b"content-length: %d" % len(body))
    lines.append(b"date: " + date)
    if last:
        lines.append(last)
    lines.append(b"\r\n")
    head = b"\r\n".join(lines)
    ends = 2 * len(lines)
    if len(head) > RESPONSE_HEAD or len(head.translate(None, TEXT)) != ends:
        return None
    return head if bare else head + body
