"""The parser of events: by WHATWG HTML section 9.2.6, however the bytes are split."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from trioweb.testing.event_parser import Event, EventParser

# id (section of WHATWG HTML), the stream, what is heard of it
HEARD: list[tuple[str, bytes, list[Event]]] = [
    ("9.2.6 nothing", b"", []),
    ("9.2.6 one line", b"data: a\n\n", [Event("a")]),
    (
        "9.2.6 the three lines of the standard",
        b"data: YHOO\ndata: +2\ndata: 10\n\n",
        [Event("YHOO\n+2\n10")],
    ),
    (
        "9.2.6 the four blocks of the standard",
        (
            b": test stream\n\ndata: first event\nid: 1\n\n"
            b"data:second event\nid\n\ndata:  third event\n\n"
        ),
        [
            Event("first event", id="1"),
            Event("second event", id=""),
            Event(" third event", id=""),
        ],
    ),
    (
        "9.2.6 empty data",
        b"data\n\ndata\ndata\n\ndata:",
        [Event(""), Event("\n")],
    ),
    ("9.2.6 one space is dropped", b"data:test\n\ndata: test\n\n", [Event("test")] * 2),
    ("9.2.6 another is not", b"data:  a\n\ndata:\ta\n\n", [Event(" a"), Event("\ta")]),
    ("9.2.6 event", b"event: news\ndata: a\n\n", [Event("a", "news")]),
    (
        "9.2.6 an event's type is its own",
        b"event: news\ndata: a\n\ndata: b\n\n",
        [Event("a", "news"), Event("b")],
    ),
    (
        "9.2.6 a type without data is forgotten",
        b"event: news\n\ndata: b\n\n",
        [Event("b")],
    ),
    (
        "9.2.6 the last type and id count",
        b"event: a\nid: 1\nevent: b\nid: 2\ndata: x\n\n",
        [Event("x", "b", "2")],
    ),
    ("9.2.6 an id stays", b"id: 1\n\ndata: a\n\n", [Event("a", id="1")]),
    ("9.2.6 an id with NUL is ignored", b"id: 1\0\ndata: a\n\n", [Event("a")]),
    ("9.2.6 retry", b"retry: 10\ndata: a\n\n", [Event("a", retry=10)]),
    ("9.2.6 retry of digits only", b"retry: 1a\ndata: a\n\n", [Event("a")]),
    ("9.2.6 retry of ASCII digits", "retry: ٣\ndata: a\n\n".encode(), [Event("a")]),
    ("9.2.6 unknown fields", b"date: b\ndata : c\ndata: a\n\n", [Event("a")]),
    ("9.2.6 comments", b":data: b\n: c\ndata: a\n:\n\n", [Event("a")]),
    ("9.2.6 a colon in a value", b"data: a: b\n\n", [Event("a: b")]),
    ("9.2.6 CR", b"data: a\rdata: b\r\r", [Event("a\nb")]),
    ("9.2.6 CRLF", b"data: a\r\ndata: b\r\n\r\n", [Event("a\nb")]),
    ("9.2.6 mixed", b"data: a\r\ndata: b\r\ndata: c\n\r", [Event("a\nb\nc")]),
    ("9.2.6 an unfinished block", b"data: a\n\ndata: b\n", [Event("a")]),
    ("9.2.5 a byte order mark", b"\xef\xbb\xbfdata: a\n\n", [Event("a")]),
    (
        "9.2.5 only one",
        b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\ndata: \xef\xbb\xbfb\n\n",
        [Event("\ufeffb")],
    ),
    ("9.2.5 what is no UTF-8", b"data: \xff\xed\x8b\n\n", [Event("\ufffd\ufffd")]),
    ("9.2.5 another script", "data: 물\nid: 돌\n\n".encode(), [Event("물", id="돌")]),
    (
        "9.2.5 no other line ends",
        "data: a\x0b\x0c\x1c\x85\u2028b\n\n".encode(),
        [Event("a\x0b\x0c\x1c\x85\u2028b")],
    ),
]

table = pytest.mark.parametrize(
    ("stream", "events"), [case[1:] for case in HEARD], ids=[case[0] for case in HEARD]
)


def fed(*pieces: bytes) -> list[Event]:
    parser = EventParser()
    return [event for piece in pieces for event in parser.feed(piece)]


@table
def test_what_is_heard(stream: bytes, events: list[Event]) -> None:
    assert fed(stream) == events


@table
def test_every_split_is_heard_alike(stream: bytes, events: list[Event]) -> None:
    assert fed(*(stream[at : at + 1] for at in range(len(stream)))) == events
    for at in range(len(stream)):
        assert fed(stream[:at], stream[at:]) == events
        for end in range(at, len(stream)):
            assert fed(stream[:at], stream[at:end], stream[end:]) == events


def test_what_an_event_source_would_come_back_with() -> None:
    parser = EventParser("6")
    assert parser.feed(b"data: a\n\nid: 7\nretry: 50\n") == [Event("a", id="6")]
    # The id is noted with the blank line, the time at once (section 9.2.6).
    assert (parser.last_event_id, parser.retry) == ("6", 50)
    assert parser.feed(b":\n\n") == []
    assert (parser.last_event_id, parser.retry, parser.comments) == ("7", 50, 1)


@given(st.lists(st.binary()), st.lists(st.sampled_from([b"\r", b"\n", b"data:", b"x"])))
def test_any_bytes_are_read(noise: list[bytes], lines: list[bytes]) -> None:
    assert fed(*noise, *lines) == fed(b"".join(noise + lines))
