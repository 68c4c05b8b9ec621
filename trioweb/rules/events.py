"""Server-sent events: what one is, as text on the wire (WHATWG HTML section 9.2)."""

from __future__ import annotations

import re

# What ends a line of a stream, and nothing else does: str.splitlines() knows more ends.
_LINE_END = re.compile(r"\r\n|\r|\n")

# Ends its field; and an id with a NUL is ignored by whoever reads it (section 9.2.6).
_NOT_IN_EVENT = re.compile(r"[\r\n]")
_NOT_IN_ID = re.compile(r"[\r\n\0]")

# A line that begins with a colon says nothing, and keeps the connection from looking
# idle (section 9.2.7).
PING = b":\n\n"


def encode_event(
    data: str | None = None,
    *,
    event: str | None = None,
    id: str | None = None,  # noqa: A002  # the name of the field
    retry: int | None = None,
) -> bytes:
    r"""One event as it is sent; what is None is left out.

    *data* may have several lines: whoever reads it gets them with ``\n`` between.
    *retry* is in milliseconds.  Without *data* nothing is heard of it, but *id* and
    *retry* are noted.  ValueError for an *event* of several lines or without data, an
    *id* with a line end or a NUL, a negative *retry*, half a surrogate pair; TypeError
    for a *retry* that is no integer.

    >>> encode_event("two\nlines", event="news", id="7")
    b'event: news\nid: 7\ndata: two\ndata: lines\n\n'
    >>> encode_event(retry=500)
    b'retry: 500\n\n'
    """
    lines = []
    if event is not None:
        if data is None:
            msg = f'an event {event!r} without data is never heard; give it data=""'
            raise ValueError(msg)
        lines.append(f"event: {_whole(event, 'event', _NOT_IN_EVENT)}\n")
    if id is not None:
        lines.append(f"id: {_whole(id, 'id', _NOT_IN_ID)}\n")
    if retry is not None:
        lines.append(f"retry: {_milliseconds(retry)}\n")
    if data is not None:
        # The space keeps one that the line itself begins with (section 9.2.6).
        lines += [f"data: {line}\n" for line in _LINE_END.split(data)]
    if not lines:
        msg = "an event has data, an id or a retry; give it one of them"
        raise ValueError(msg)
    lines.append("\n")
    return "".join(lines).encode()


def decode_last_event_id(field: str | None) -> str:
    """The id in the field Last-Event-ID, as headers are read; empty without one.

    It is UTF-8 there (section 9.2.3), of which headers know nothing.  What is no UTF-8
    comes from nobody who reads events, and has a replacement character in its place.
    """
    return "" if field is None else field.encode("latin-1").decode(errors="replace")


def _whole(text: str, field: str, unfit: re.Pattern[str]) -> str:
    if bad := unfit.search(text):
        msg = f"the {field} {text[:80]!r} contains {bad[0]!r}, which cannot be sent"
        raise ValueError(msg)
    return text


def _milliseconds(retry: int) -> int:
    if type(retry) is not int:
        msg = f"retry is an integer, in milliseconds, not {retry!r}"
        raise TypeError(msg)
    if retry < 0:
        msg = f"retry is {retry} milliseconds; give 0 or more"
        raise ValueError(msg)
    return retry
