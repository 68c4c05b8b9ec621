"""Plain heads: what is read in few steps is what the gate and h11 read."""

from __future__ import annotations

import pytest
from hypothesis import given

from tests.wire.agreeing import HEADS, reads_alike
from trioweb.wire.gate import check
from trioweb.wire.limits import Limits
from trioweb.wire.plain import plain_head

LIMITS = Limits()

PLAIN = {
    "3": b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "3.2.1": b"DELETE /a/b/?x=%2e/../#"[:-1] + b" HTTP/1.1\r\nhost: a:80\r\n\r\n",
    "3.2.1 marks": b"GET /!\"$&'()*+,-.:;<=>@[]^_`{|}~ HTTP/1.1\r\nHost: a\r\n\r\n",
    "5": b"HEAD / HTTP/1.1\r\nHOST:a\r\nX-Odd: \t b\xff \t\r\nx-odd:\r\n\r\n",
    "6.3": b"POST / HTTP/1.1\r\nHost: [::1]:1\r\nContent-Length: 12\r\n\r\n",
    "9.6": b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\n",
    "9.3": b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Keep-Alive\r\n\r\n",
    "names": b"GET / HTTP/1.1\r\nhost: a\r\naccept: b\r\nAccept: c\r\nACCEPT:\r\n\r\n",
}

NOT_PLAIN = {
    "2.5 version 1.0": b"GET / HTTP/1.0\r\nHost: a\r\n\r\n",
    "3.1 method": b"PROPFIND / HTTP/1.1\r\nHost: a\r\n\r\n",
    "3.1 CONNECT": b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n",
    "3.2.2 absolute": b"GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "3.2.4 asterisk": b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    "3.2 escape": b"GET /%41 HTTP/1.1\r\nHost: a\r\n\r\n",
    "3.2 dots": b"GET /a/../b HTTP/1.1\r\nHost: a\r\n\r\n",
    "3.2 backslash": b"GET /a\\b HTTP/1.1\r\nHost: a\r\n\r\n",
    "3.2 fragment": b"GET /?a#b HTTP/1.1\r\nHost: a\r\n\r\n",
    "3.2 space": b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
    "3.2 outside ASCII": b"GET /\xe4 HTTP/1.1\r\nHost: a\r\n\r\n",
    "3.2 no host": b"GET / HTTP/1.1\r\nAccept: a\r\n\r\n",
    "3.2 no fields": b"GET / HTTP/1.1\r\n\r\n",
    "3.2 two hosts": b"GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n",
    "3.2 odd host": b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
    "3.2 empty host": b"GET / HTTP/1.1\r\nHost:\r\n\r\n",
    "5.1 space before the colon": b"GET / HTTP/1.1\r\nHost: a\r\nAccept : b\r\n\r\n",
    "5.1 no colon": b"GET / HTTP/1.1\r\nHost: a\r\nAccept\r\n\r\n",
    "5.1 no name": b"GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n",
    "5.2 folded": b"GET / HTTP/1.1\r\nHost: a\r\nAccept: b\r\n c\r\n\r\n",
    "2.2 bare LF": b"GET / HTTP/1.1\r\nHost: a\r\nAccept: b\nX: c\r\n\r\n",
    "2.2 bare CR": b"GET / HTTP/1.1\r\nHost: a\r\nAccept: b\rX: c\r\n\r\n",
    "5.5 control": b"GET / HTTP/1.1\r\nHost: a\r\nAccept: b\0\r\n\r\n",
    "5.5 DEL": b"GET / HTTP/1.1\r\nHost: a\r\nAccept: b\x7f\r\n\r\n",
    "6.1 coding": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
    "6.2 two lengths": b"POST / HTTP/1.1\r\nHost: a\r\n"
    b"Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
    "6.2 odd length": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n",
    "7.8": b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: b\r\n\r\n",
    "9.6 and more": b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close, te\r\n\r\n",
    "9110 10.1.1": b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n",
    "a field too many": b"GET / HTTP/1.1\r\nHost: a\r\n" + b"a: b\r\n" * 100 + b"\r\n",
    "a line too long": b"GET /" + b"a" * 8192 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
}


@pytest.mark.parametrize("raw", PLAIN.values(), ids=PLAIN)
def test_a_plain_head_is_read_as_the_gate_reads_it(raw: bytes) -> None:
    head = plain_head(raw, LIMITS)
    assert head is not None
    assert head == check(raw, LIMITS)


@pytest.mark.parametrize("raw", NOT_PLAIN.values(), ids=NOT_PLAIN)
def test_any_other_head_is_the_gates_to_judge(raw: bytes) -> None:
    assert plain_head(raw, LIMITS) is None


@pytest.mark.parametrize("raw", {**PLAIN, **NOT_PLAIN}.values(), ids=PLAIN | NOT_PLAIN)
def test_whether_plain_or_not_it_is_read_alike(raw: bytes) -> None:
    reads_alike(raw)


def test_a_head_above_the_limits_is_not_plain() -> None:
    raw = PLAIN["3"]
    assert plain_head(raw, Limits(head=len(raw))) is not None
    assert plain_head(raw, Limits(head=len(raw) - 1)) is None
    assert plain_head(raw, Limits(request_line=len(raw) - 1)) is None


@given(HEADS)
def test_what_is_plain_the_gate_and_h11_read_alike(raw: bytes) -> None:
    reads_alike(raw)
