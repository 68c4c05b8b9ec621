"""Agreeing: does the lane read what the gate and h11 do, and write what h11 does?"""

from __future__ import annotations

import itertools
import os
from typing import Protocol

import h11
import pytest
from hypothesis import strategies as st

from tests.wire.handlers import GET
from trioweb.message.response import Response
from trioweb.rules.headers import Headers
from trioweb.rules.status import bodiless, reason
from trioweb.wire.gate import Head, check
from trioweb.wire.lane import whole
from trioweb.wire.limits import Limits
from trioweb.wire.plain import plain_head

# Of a test of what only the lane does.
on_the_lane = pytest.mark.skipif(
    os.environ.get("TESTS_LANE") == "off", reason="there is no lane"
)

LIMITS = Limits()
DATE = b"Sun, 22 Nov 2026 12:00:00 GMT"

# Content that is made up for a head; one that says more has none made up for it.
_LONGEST = 4096


class Reads(Protocol):
    """What reads a head, if it is plain."""

    def __call__(self, raw: bytes, limits: Limits, /) -> Head | None: ...


class Writes(Protocol):
    """What writes an answer, if it is at hand."""

    def __call__(
        self, response: Response, date: bytes, /, *, bare: bool, last: bytes
    ) -> bytes | None: ...


def reads_alike(raw: bytes, read: Reads = plain_head) -> None:
    """The head in *raw*, if it is taken, is to the gate and to h11 what it is here.

    HTTPError, h11.RemoteProtocolError or AssertionError where it is not.
    """
    head = read(raw, LIMITS)
    if head is None:
        return
    assert head == check(raw, LIMITS)
    state = h11.Connection(h11.SERVER)
    state.receive_data(raw)
    request = state.next_event()
    assert isinstance(request, h11.Request)
    assert request.method.decode() == head.method
    assert request.target.decode().partition("?")[0] == head.target.raw_path
    assert list(request.headers) == head.fields
    assert not state.they_are_waiting_for_100_continue
    content = b"a" * min(head.length, _LONGEST)
    state.receive_data(content + GET)
    while isinstance(event := state.next_event(), h11.Data):
        content = content.removeprefix(event.data)
    assert not content
    if head.length <= _LONGEST:
        assert isinstance(event, h11.EndOfMessage)
        assert state.trailing_data == (GET, False)
        # Nothing but another request can come after it, if anything.
        assert state.their_state is (h11.MUST_CLOSE if head.closes else h11.DONE)


def writes_alike(response: Response, write: Writes = whole) -> None:
    """*response*, if it is written, is what h11 writes of it.

    AssertionError where it is not, h11.LocalProtocolError where h11 writes none.
    """
    for bare, last in itertools.product((False, True), (b"", b"connection: close")):
        answer = write(response, DATE, bare=bare, last=last)
        if answer is not None:
            assert answer == _by_h11(response, bare=bare, last=bool(last))


def _by_h11(response: Response, *, bare: bool, last: bool) -> bytes:
    assert isinstance(response.body, bytes)
    state = h11.Connection(h11.SERVER)
    state.receive_data(GET.replace(b"GET", b"HEAD") if bare else GET)
    state.next_event()
    status = response.status
    lines = response.headers.raw.copy()
    if not bodiless(status):
        lines.append((b"content-length", b"%d" % len(response.body)))
    lines.append((b"date", DATE))
    if last:
        lines.append((b"connection", b"close"))
    event = h11.Response(
        status_code=status,
        headers=lines,
        reason=reason(status).encode(),
    )
    body = b"" if bare else response.body
    data = (
        state.send(event),
        state.send(h11.Data(data=body)),
        state.send(h11.EndOfMessage()),
    )
    return b"".join(each or b"" for each in data)


# Pieces that heads are made of, and those that would break them.
SCRAPS = st.sampled_from(
    [b"GET", b"POST", b"HEAD", b" ", b"/", b"/a", b"?b=c", b"%41", b"..", b"HTTP/1.1",
     b"HTTP/1.0", b"\r\n", b"\r", b"\n", b":", b"Host", b"host: a", b"a", b"\t", b",",
     b"Content-Length: 5", b"content-length", b"Connection: keep-alive", b"Accept: b",
     b"Connection: close", b"Upgrade: c", b"Transfer-Encoding: chunked", b"\0", b"\x7f",
     b"Expect: 100-continue", b"\xff", b"#", b"\\", b"@", b"[", b"Cookie: a=b; c"]
)  # fmt: skip

HOSTS = st.sampled_from([[b"Host: a"], [b"host:b:80"], [b"Host: a"], [], [b"Host: a,"]])

LINES = st.lists(
    st.sampled_from(
        [b"Host: a", b"Accept: */*", b"X-Odd:\t1 ", b"Cookie: a=b", b"a: \x80",
         b"Content-Length: 7", b"content-length:0", b"Content-Length: +5",
         b"Connection: keep-alive", b"connection: Close", b"Upgrade: a", b"no colon",
         b"Expect: 100-continue", b"Transfer-Encoding: chunked", b" folded",
         b"name : value", b"a: b\nc: d"]
    ),
    max_size=4,
)  # fmt: skip

TARGETS = st.sampled_from(
    [b"/", b"/a/b", b"/a?b=c", b"/%41", b"/../a", b"/a/.", b"*", b"http://a/", b"/a#b"]
)


@st.composite
def heads(draw: st.DrawFn) -> bytes:
    """A head, often whole, sometimes with something where it should not be."""
    method = draw(st.sampled_from([b"GET", b"POST", b"HEAD", b"PATCH", b"BREW"]))
    minor = draw(st.sampled_from(b"1110"))
    lines = draw(HOSTS) + draw(LINES)
    raw = b"%b %b HTTP/1.%c\r\n" % (method, draw(TARGETS), minor)
    raw += b"".join(line + b"\r\n" for line in lines)
    if draw(st.booleans()):
        at = draw(st.integers(0, len(raw)))
        raw = raw[:at] + draw(SCRAPS) + raw[at:]
    return _first(raw)


def _first(raw: bytes) -> bytes:
    return raw.partition(b"\r\n\r\n")[0].removesuffix(b"\r\n") + b"\r\n\r\n"


HEADS = st.one_of(heads(), st.lists(SCRAPS).map(lambda each: _first(b"".join(each))))

FIELDS = st.lists(
    st.sampled_from(
        [
            (b"content-type", b"text/plain"),
            (b"x-odd", b"1\t2"),
            (b"set-cookie", b"a=b"),
            (b"vary", b"\xe9"),
            (b"x", b"a\r\nb: c"),
            (b"content-length", b"1"),
            (b"date", b"today"),
            (b"connection", b"close"),
        ]
    ),
    max_size=4,
)


@st.composite
def responses(draw: st.DrawFn) -> Response:
    """A response that is at hand, with fields that most have and some that few have."""
    status = draw(st.sampled_from([200, 201, 299, 404, 503, 204, 304]))
    body = b"" if bodiless(status) else draw(st.binary())
    return Response(status, Headers.from_wire(draw(FIELDS)), body)
