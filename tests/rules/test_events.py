"""Server-sent events: every event is one event, whatever is in it."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from trioweb.rules.events import PING, decode_last_event_id, encode_event
from trioweb.testing.event_parser import Event, EventParser

# id (section of WHATWG HTML), arguments, what is sent
SENT: list[tuple[str, dict[str, object], bytes]] = [
    ("9.2.6 data", {"data": "a"}, b"data: a\n\n"),
    ("9.2.6 empty data is an event", {"data": ""}, b"data: \n\n"),
    ("9.2.6 a space stays", {"data": " a"}, b"data:  a\n\n"),
    ("9.2.6 LF", {"data": "a\nb"}, b"data: a\ndata: b\n\n"),
    ("9.2.6 CR", {"data": "a\rb"}, b"data: a\ndata: b\n\n"),
    ("9.2.6 CRLF is one", {"data": "a\r\nb"}, b"data: a\ndata: b\n\n"),
    ("9.2.6 LF CR are two", {"data": "a\n\rb"}, b"data: a\ndata: \ndata: b\n\n"),
    ("9.2.6 a line end at the end", {"data": "a\n"}, b"data: a\ndata: \n\n"),
    (
        "9.2.5 no other line ends",
        {"data": "a\x0b\x0c\x85\u2028b"},
        "data: a\x0b\x0c\x85\u2028b\n\n".encode(),
    ),
    ("9.2.5 NUL in data", {"data": "a\0b"}, b"data: a\0b\n\n"),
    ("9.2.5 UTF-8", {"data": "물"}, "data: 물\n\n".encode()),
    ("9.2.6 event", {"data": "", "event": "news"}, b"event: news\ndata: \n\n"),
    ("9.2.6 id", {"data": "a", "id": "물"}, "id: 물\ndata: a\n\n".encode()),
    ("9.2.6 empty id forgets", {"data": "a", "id": ""}, b"id: \ndata: a\n\n"),
    ("9.2.6 id alone", {"id": "7"}, b"id: 7\n\n"),
    ("9.2.6 retry alone", {"retry": 0}, b"retry: 0\n\n"),
    (
        "9.2.6 all",
        {"data": "a", "event": "e", "id": "1", "retry": 5},
        b"event: e\nid: 1\nretry: 5\ndata: a\n\n",
    ),
]

# id, arguments, the error and what it says
REFUSED: list[tuple[str, dict[str, object], type[Exception], str]] = [
    ("nothing", {}, ValueError, "data, an id or a retry"),
    ("9.2.6 event unheard", {"event": "e"}, ValueError, "never heard"),
    (
        "9.2.6 LF in event",
        {"data": "", "event": "a\nb"},
        ValueError,
        "contains '\\\\n'",
    ),
    (
        "9.2.6 CR in event",
        {"data": "", "event": "a\rb"},
        ValueError,
        "contains '\\\\r'",
    ),
    ("9.2.6 LF in id", {"id": "1\n2"}, ValueError, "contains '\\\\n'"),
    ("9.2.6 CR in id", {"id": "1\r2"}, ValueError, "contains '\\\\r'"),
    ("9.2.6 NUL in id", {"id": "1\x002"}, ValueError, "contains '\\\\x00'"),
    ("9.2.6 negative retry", {"retry": -1}, ValueError, "0 or more"),
    ("9.2.6 retry in seconds", {"retry": 0.5}, TypeError, "in milliseconds"),
    ("9.2.6 retry True", {"retry": True}, TypeError, "in milliseconds"),
    ("9.2.5 half a pair", {"data": "\ud800"}, ValueError, "surrogates"),
]


@pytest.mark.parametrize(
    ("fields", "sent"), [case[1:] for case in SENT], ids=[case[0] for case in SENT]
)
def test_what_is_sent(fields: dict[str, object], sent: bytes) -> None:
    assert encode_event(**fields) == sent  # type: ignore[arg-type]  # the table's


@pytest.mark.parametrize(
    ("fields", "error", "words"),
    [case[1:] for case in REFUSED],
    ids=[case[0] for case in REFUSED],
)
def test_what_cannot_be_sent(
    fields: dict[str, object], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        encode_event(**fields)  # type: ignore[arg-type]  # the table's


@pytest.mark.parametrize(
    ("field", "last"),
    [
        (None, ""),
        ("", ""),
        ("7", "7"),
        ("물".encode().decode("latin-1"), "물"),
        ("\xff", "\ufffd"),
    ],
    ids=["none", "empty", "plain", "UTF-8", "no UTF-8"],
)
def test_last_event_id_is_utf_8(field: str | None, last: str) -> None:
    assert decode_last_event_id(field) == last


TEXT = st.text(st.characters(exclude_categories=["Cs"])) | st.text("a: \r\n\0\ufeff물")
LINE = TEXT.filter(lambda text: not {*"\r\n\0"} & {*text})


@given(TEXT, LINE | st.none(), LINE | st.none(), st.integers(0, 10**9) | st.none())
def test_any_event_is_read_as_that_one_event(
    data: str, event: str | None, name: str | None, retry: int | None
) -> None:
    parser = EventParser()
    before = encode_event("before")
    sent = encode_event(data, event=event, id=name, retry=retry)
    after = encode_event("after")
    heard = parser.feed(before + PING + sent + PING + after)
    lines = data.replace("\r\n", "\n").replace("\r", "\n")
    assert heard == [
        Event("before"),
        Event(lines, event or "message", name or "", retry),
        Event("after", id=name or ""),
    ]
    assert (parser.retry, parser.comments) == (retry, 2)
