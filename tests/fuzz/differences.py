"""Planted differences: lanes that read or write what h11 does not, in one way each.

Each is one that other servers have had, or that a quicker way to read would bring.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from unittest import mock

import msgspec

from tests.wire.agreeing import Reads, Writes
from trioweb.message.response import Response
from trioweb.rules.headers import Headers
from trioweb.wire import h1, inbound
from trioweb.wire.gate import Head
from trioweb.wire.lane import whole
from trioweb.wire.limits import Limits
from trioweb.wire.plain import plain_head


@contextlib.contextmanager
def planted(reads: Reads = plain_head, writes: Writes = whole) -> Iterator[None]:
    """Have every connection's lane read and write so."""
    with (
        mock.patch.object(inbound, "plain_head", reads),
        mock.patch.object(h1, "whole", writes),
    ):
        yield


def _seeing(change: Callable[[bytes], bytes]) -> Reads:
    """A lane that takes a head for what *change* makes of it."""

    def read(raw: bytes, limits: Limits) -> Head | None:
        head = plain_head(change(raw), limits)
        if head is None:
            return None
        return msgspec.structs.replace(head, raw=raw, fields=_fields(raw))

    return read


def _fields(raw: bytes, edges: bytes = b" \t") -> list[tuple[bytes, bytes]]:
    lines = [line.partition(b":") for line in raw.split(b"\r\n")[1:-2]]
    return [(name.lower(), value.strip(edges)) for name, _, value in lines]


def _replacing(pattern: bytes, by: bytes) -> Reads:
    return _seeing(lambda raw: re.sub(pattern, by, raw, flags=re.IGNORECASE))


def _tabs_kept(raw: bytes, limits: Limits) -> Head | None:
    head = plain_head(raw, limits)
    if head is None:
        return None
    return msgspec.structs.replace(head, fields=_fields(raw, b" "))


def _head_without_content(raw: bytes, limits: Limits) -> Head | None:
    head = plain_head(raw, limits)
    if head is None or head.method != "HEAD":
        return head
    return msgspec.structs.replace(head, length=0)


def _any_host(raw: bytes) -> bytes:
    if b"\nhost:" in raw.lower():
        return raw
    return raw.replace(b"\r\n", b"\r\nHost: a\r\n", 1)


def _last_length(raw: bytes) -> bytes:
    for each in re.findall(rb"(?i)\r\ncontent-length:[^\r]*", raw)[:-1]:
        raw = raw.replace(each, b"", 1)
    return raw


READS: dict[str, Reads] = {
    "2.2 a line that ends with LF": _replacing(rb"(?<!\r)\n", b"\r\n"),
    "2.5 1.0 for 1.1": _replacing(rb" HTTP/1\.0\r", b" HTTP/1.1\r"),
    "3.2 no host": _seeing(_any_host),
    "3.2.1 an escape read too early": _replacing(rb"%41", b"A"),
    "5.1 space before the colon": _replacing(rb" +:", b":"),
    "5.1 tabs around a value": _tabs_kept,
    "5.2 a folded line": _replacing(rb"\r\n ", b" "),
    "6.1 a coding overlooked": _replacing(rb"\r\ntransfer-encoding:[^\r]*", b""),
    "6.3 the last of two lengths": _seeing(_last_length),
    "6.3 a length with a sign": _replacing(rb"(content-length: *)\+", rb"\1"),
    "6.3 no content of HEAD": _head_without_content,
    "9.6 close overlooked": _replacing(rb"\r\nconnection: *close", b""),
    "9110 7.8 an upgrade overlooked": _replacing(
        rb"\r\n(upgrade|connection):[^\r]*", b""
    ),
    "9110 10.1.1 an expectation overlooked": _replacing(rb"\r\nexpect:[^\r]*", b""),
}


def _edited(edit: Callable[[bytes], bytes]) -> Writes:
    """A lane that writes what *edit* makes of an answer."""

    def write(
        response: Response, date: bytes, *, bare: bool, last: bytes
    ) -> bytes | None:
        answer = whole(response, date, bare=bare, last=last)
        return None if answer is None else edit(answer)

    return write


def _length_of_text(
    response: Response, date: bytes, *, bare: bool, last: bytes
) -> bytes | None:
    answer, body = whole(response, date, bare=bare, last=last), response.body
    if answer is None or not isinstance(body, bytes):
        return None
    told, meant = (
        b"content-length: %d\r\n" % size
        for size in (len(body), len(body.decode(errors="replace")))
    )
    return answer.replace(told, meant, 1)


def _content_to_head(
    response: Response, date: bytes, *, bare: bool, last: bytes
) -> bytes | None:
    return whole(response, date, bare=False, last=last)


def _one_of_each(
    response: Response, date: bytes, *, bare: bool, last: bytes
) -> bytes | None:
    once = Headers.from_wire([*dict(response.headers.raw).items()])
    return whole(
        Response(response.status, once, response.body), date, bare=bare, last=last
    )


def _unproven(
    response: Response, date: bytes, *, bare: bool, last: bytes
) -> bytes | None:
    """Takes fields as they are."""
    safe = [
        (name, value.replace(b"\r\n", b"^^")) for name, value in response.headers.raw
    ]
    answer = whole(
        Response(response.status, Headers.from_wire(safe), response.body),
        date,
        bare=bare,
        last=last,
    )
    return None if answer is None else answer.replace(b"^^", b"\r\n")


def _content_of_204(
    response: Response, date: bytes, *, bare: bool, last: bytes
) -> bytes | None:
    if response.status != 204:
        return whole(response, date, bare=bare, last=last)
    answer = whole(Response(200, response.headers, b""), date, bare=bare, last=last)
    return None if answer is None else answer.replace(b"200 OK", b"204 No Content", 1)


WRITES: dict[str, Writes] = {
    "5.5 a field that adds a line": _unproven,
    "6.3 a length in characters": _length_of_text,
    "6.3 content to HEAD": _content_to_head,
    "6.3 a length of 204": _content_of_204,
    "9110 5.3 one field of each name": _one_of_each,
    "9110 6.6.1 no date": _edited(
        lambda answer: re.sub(rb"date: [^\r]*\r\n", b"", answer)
    ),
    "9112 4 another phrase": _edited(lambda answer: answer.replace(b" OK", b" ok", 1)),
}
