"""The access log: one honest line, whatever the peer sends and whatever the stream."""

from __future__ import annotations

import io
import json
import threading
from typing import TextIO

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trioweb.message.exchange import Ending, Exchanged
from trioweb.message.transport import Peer
from trioweb.run.access_log import (
    AccessLog,
    escape,
    human,
    json_line,
    lost_in,
    record_for,
    redact,
)
from trioweb.run.writer import Writer

NOW = 1_700_000_000.25
PLAIN = Exchanged(
    method="GET",
    target="/users/7",
    route="/users/{id:int}",
    peer=Peer("::1", 5000),
    status=200,
    received=0,
    sent=1234,
    seconds=0.0034,
    ending=Ending.COMPLETE,
    version="1.1",
)


def test_a_line_says_when_what_how_much_how_long_and_who() -> None:
    assert human(PLAIN, NOW) == (
        "2023-11-14T22:13:20Z GET /users/7 200 1234 B 3.4 ms [::1]:5000"
    )


def test_an_exchange_that_is_not_complete_says_how_it_ended() -> None:
    gone = msgspec.structs.replace(PLAIN, status=None, ending=Ending.GONE)
    assert human(gone, NOW) == (
        "2023-11-14T22:13:20Z GET /users/7 - 1234 B 3.4 ms [::1]:5000 gone"
    )


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        (204, "\x1b[32m204\x1b[0m"),
        (304, "\x1b[36m304\x1b[0m"),
        (404, "\x1b[33m404\x1b[0m"),
        (500, "\x1b[31m500\x1b[0m"),
        (101, "101"),
    ],
)
def test_colour_tells_the_kind_of_status(status: int, shown: str) -> None:
    line = human(msgspec.structs.replace(PLAIN, status=status), NOW, colour=True)
    assert f" {shown} " in line


def test_json_is_an_object_a_line() -> None:
    assert json.loads(json_line(PLAIN, NOW)) == {
        "time": "2023-11-14T22:13:20.250Z",
        "method": "GET",
        "target": "/users/7",
        "route": "/users/{id:int}",
        "status": 200,
        "received": 0,
        "sent": 1234,
        "seconds": 0.0034,
        "peer": "[::1]:5000",
        "ending": "complete",
        "version": "1.1",
    }


REDACTED = [
    ("/plain", "/plain"),
    ("/q?password=hunter2&page=2", "/q?password=*&page=*"),
    ("/q?a=1&a=2", "/q?a=*&a=*"),
    ("/reset?c0ffee", "/reset?*"),
    ("/q?", "/q?"),
    ("/q?a=1&&b", "/q?a=*&&*"),
    ("/q?a=b?c=d", "/q?a=*"),
    ("/q?a=1;b=2", "/q?a=*"),
    ("http://me:secret@example.org/x?y=z", "http://*@example.org/x?y=*"),
    ("/mail/me@example.org", "/mail/me@example.org"),
    ("*", "*"),
]


@pytest.mark.parametrize(("target", "told"), REDACTED, ids=[t for t, _ in REDACTED])
def test_of_a_query_only_the_names_are_told(target: str, told: str) -> None:
    assert redact(target) == told


ESCAPED = [
    ("nothing", "", "-"),
    ("plain", "/%0a[CRITICAL]%1b[2J", "/%0a[CRITICAL]%1b[2J"),
    ("a forged line", "/\r\n200 OK", "/\\r\\n200\\x20OK"),
    ("a terminal's commands", "/\x1b[2J\x9b1m\x7f\0", "/\\x1b[2J\\x9b1m\\x7f\\x00"),
    ("a backslash", "/\\x1b", "/\\\\x1b"),
    ("right to left", "/\u202egnp.exe", "/\\u202egnp.exe"),
    ("line separators", "/\u2028\x85", "/\\u2028\\x85"),
    ("other spaces", "/\u00a0\u3000", "/\\xa0\\u3000"),
    ("Korean", "/한글", "/한글"),
    ("beyond the BMP", "/😀\U000e0001", "/😀\\U000e0001"),
    ("a lone surrogate", "/\ud800", "/?"),
]


@pytest.mark.parametrize(
    ("text", "shown"), [case[1:] for case in ESCAPED], ids=[c[0] for c in ESCAPED]
)
def test_what_is_not_printable_is_escaped(text: str, shown: str) -> None:
    assert escape(text) == shown


@given(st.text(max_size=600))
def test_a_line_is_one_printable_line_whatever_is_sent(text: str) -> None:
    hostile = msgspec.structs.replace(PLAIN, method=text, target=text, peer=Peer(text))
    line = human(hostile, NOW)
    assert line.isprintable()
    assert len(line.split()) == len(human(PLAIN, NOW).split())
    assert len(line) < 3 * 512 + 100
    data = json_line(hostile, NOW)
    assert data.isascii()
    assert data.isprintable()
    json.loads(data)


def test_json_gives_back_what_was_sent() -> None:
    strange = "/\x1b\n\x7f\x85한글😀"
    line = json_line(msgspec.structs.replace(PLAIN, target=strange), NOW)
    assert json.loads(line)["target"] == strange


def test_no_text_is_longer_than_512_characters() -> None:
    for text in ("x" * 513, "\0" * 512, "/?" + "&".join("a=1" for _ in range(9999))):
        assert len(escape(redact(text))) == 512
    assert len(json.loads(json_line(_asking("x" * 9999), NOW))["target"]) == 512
    assert escape("x" * 512) == "x" * 512


def _asking(target: str) -> Exchanged:
    return msgspec.structs.replace(PLAIN, target=target)


# ------------------------------------------------------------------------- streams


class Stream(io.StringIO):
    """A text stream that may be a terminal."""

    def __init__(self, *, terminal: bool = False) -> None:
        super().__init__()
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


def logged(stream: TextIO | None, *records: Exchanged) -> None:
    writer = Writer(stream)
    record = AccessLog(writer, "human", clock=lambda: NOW)
    writer.start()
    for each in records:
        record(each)
    writer.stop()


def test_each_exchange_is_a_line() -> None:
    stream = Stream()
    logged(stream, PLAIN, _asking("/b"))
    assert stream.getvalue() == (f"{human(PLAIN, NOW)}\n{human(_asking('/b'), NOW)}\n")


async def test_the_form_is_chosen_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    before = threading.active_count()
    async with record_for("off") as record:
        assert record is None
        assert threading.active_count() == before
    async with record_for("json") as record:
        assert record is not None
        record(PLAIN)
    assert json.loads(capsys.readouterr().err)["target"] == "/users/7"
    assert not [t for t in threading.enumerate() if t.name == "trioweb log"]


def test_dropped_lines_are_counted_in_the_form_of_the_log() -> None:
    assert lost_in("human")(7).startswith("7 lines of this log were dropped")
    assert json.loads(lost_in("json")(7)) == {"dropped": 7}


@pytest.mark.parametrize(
    ("terminal", "no_colour", "coloured"),
    [(True, "", True), (True, "1", False), (False, "", False)],
    ids=["terminal", "NO_COLOR", "pipe"],
)
def test_colour_is_for_terminals_whose_user_does_not_refuse_it(
    monkeypatch: pytest.MonkeyPatch, *, terminal: bool, no_colour: str, coloured: bool
) -> None:
    monkeypatch.setenv("NO_COLOR", no_colour)
    stream = Stream(terminal=terminal)
    logged(stream, PLAIN)
    assert ("\x1b" in stream.getvalue()) is coloured


def test_a_stream_that_is_closed_or_missing_has_no_colour_and_does_no_harm() -> None:
    closed = io.StringIO()
    closed.close()
    logged(closed, PLAIN)
    logged(None, PLAIN)
