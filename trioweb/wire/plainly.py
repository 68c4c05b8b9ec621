"""Plainly: how an answer to a plain request is framed (RFC 9112 section 6).

It has a declared length, or chunks, or nothing; the request has nothing to say to that.
So h11 need not be told of either, and a piece costs a line rather than a state machine.
What is not plain in the answer's head, or not proven to be lines, is h11's.
"""

from __future__ import annotations

import h11

from trioweb.rules.headers import LENGTH
from trioweb.rules.status import bodiless
from trioweb.wire.gate import TEXT, Head
from trioweb.wire.head import RawFields

_CHUNKED = (b"Transfer-Encoding", b"chunked")

# Where an answer to a plain request says more of the connection or the framing.
_HARD = frozenset({b"transfer-encoding", b"upgrade"})


class Plainly:
    """The framing of one answer, in the words of h11."""

    __slots__ = ("_left",)

    def __init__(self, left: int | None) -> None:
        self._left = left  # bytes of content still to come; None: in chunks

    def send(self, event: h11.Event) -> bytes:
        """Content, or its end, as it is on the wire.

        h11.LocalProtocolError where the content is not as long as was declared.
        """
        if isinstance(event, h11.EndOfMessage):
            if self._left:
                raise h11.LocalProtocolError(
                    "Too little data for declared Content-Length"
                )
            return b"" if self._left is not None else _end(event)
        return b"".join(self.send_with_data_passthrough(event))

    def send_with_data_passthrough(self, event: h11.Event) -> list[bytes]:
        """The same in parts, of which the content is one as it was given."""
        content: bytes = event.data if isinstance(event, h11.Data) else b""
        size = len(content)
        if self._left is None:
            return [b"%x\r\n" % size, content, b"\r\n"] if size else []
        if size > self._left:
            raise h11.LocalProtocolError("Too much data for declared Content-Length")
        self._left -= size
        return [content]


def begin(
    line: bytes, fields: RawFields, status: int, asked: Head
) -> tuple[bytes, Plainly] | None:
    """The head of an answer, and how what follows is framed; None if h11 must say.

    *line* is its status line; *fields* are its own and what goes with each.
    """
    named = dict(fields)
    length = named.get(b"content-length")
    if not _HARD.isdisjoint(named) or named.get(b"connection", b"close") != b"close":
        return None
    if length is not None and not _one_length(fields, length):
        return None
    lines = [each for each in fields if each[0] != b"connection" or not asked.closes]
    if length is None and not bodiless(status):
        lines.append(_CHUNKED)
    if asked.closes:
        lines.append((b"Connection", b"close"))
    head = b"\r\n".join([line, *map(b": ".join, lines), b"\r\n"])
    if len(head.translate(None, TEXT)) != 2 * (len(lines) + 2):
        return None
    if bodiless(status) or asked.method == "HEAD":
        return head, Plainly(0)
    return head, Plainly(None if length is None else int(length))


def _one_length(fields: RawFields, length: bytes) -> bool:
    lengths = [name for name, _ in fields if name == b"content-length"]
    return len(lengths) == 1 and bool(LENGTH.fullmatch(length))


def _end(event: h11.EndOfMessage) -> bytes:
    # What h11 has checked when the event was made.
    lines = [b"%b: %b\r\n" % field for field in event.headers]
    return b"".join([b"0\r\n", *lines, b"\r\n"])
