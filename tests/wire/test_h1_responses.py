"""HTTP/1.1: what responses look like on the wire."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
import trio
import trio.testing
from hypothesis import given

from tests.wire.answering import failed, giving, writing
from tests.wire.handlers import GET, counting, file_of
from tests.wire.talking import Talking, answer, answers, say, talking
from trioweb.message.request import Request
from trioweb.message.response import BodyWriter, Response, Send
from trioweb.rules.headers import Headers
from trioweb.wire.limits import FILE_PIECE


async def test_a_small_answer_is_one_write(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with talking(giving(b"hi", x_tag="é"), listen=False) as talk:
        await talk.peer.send_all(GET)
        head, _, body = (await talk.peer.receive_some()).partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[:3] == [b"HTTP/1.1 200 OK", b"x-tag: \xe9", b"content-length: 2"]
    assert lines[3].startswith(b"date: ")
    assert lines[3].endswith(b" GMT")
    assert (len(lines), body) == (4, b"hi")


async def test_a_date_of_the_handlers_own_stays(
    autojump_clock: trio.testing.MockClock,
) -> None:
    talk = await say(giving(date="Sun, 06 Nov 1994 08:49:37 GMT"), GET)
    assert talk.received.count(b"\r\ndate: ") == 1
    assert answer(talk).headers["date"] == "Sun, 06 Nov 1994 08:49:37 GMT"


@pytest.mark.parametrize(
    ("status", "reason"),
    [(200, b"OK"), (413, b"Content Too Large"), (299, b""), (599, b"")],
)
async def test_r2_the_reason_is_that_of_the_status(
    status: int, reason: bytes, autojump_clock: trio.testing.MockClock
) -> None:
    talk = await say(giving(b"", status), GET)
    line = talk.received.split(b"\r\n")[0]
    assert line.rstrip() == (b"HTTP/1.1 %d %b" % (status, reason)).rstrip()


async def test_the_head_waits_for_the_first_piece(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def write(send: Send) -> None:
        await trio.sleep(1)
        await send(b"late")

    async with talking(giving(write)) as talk:
        await talk.send(GET)
        assert talk.received == b""
        await trio.sleep(2)
        assert talk.received.endswith(b"\r\n\r\n4\r\nlate\r\n0\r\n\r\n")


async def test_an_empty_piece_sends_the_head_at_once(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def write(send: Send) -> None:
        await send(b"")
        await trio.sleep(1)
        await send(b"late")
        await send(b"")

    async with talking(giving(write)) as talk:
        await talk.send(GET)
        assert talk.received.endswith(b"\r\n\r\n")
        await talk.farewell()
    assert (answer(talk).body, answer(talk).complete) == (b"late", True)


async def test_a_writer_that_writes_nothing_has_an_empty_body(
    autojump_clock: trio.testing.MockClock,
) -> None:
    talk = await say(giving(writing()), GET + GET)
    assert [(got.body, got.complete) for got in answers(talk)] == [(b"", True)] * 2


async def test_a_slow_reader_stops_the_writer(
    autojump_clock: trio.testing.MockClock,
) -> None:
    written = 0

    async def write(send: Send) -> None:
        nonlocal written
        for _ in range(100):
            await send(bytes(1000))
            written += 1000

    async with talking(giving(write), buffer=10_000, listen=False) as talk:
        await talk.peer.send_all(GET)
        await trio.testing.wait_all_tasks_blocked()
        assert 5_000 < written <= 10_000
        await talk.listen()
    assert len(answer(talk).body) == 100_000


async def test_send_is_over_with_its_writer(
    autojump_clock: trio.testing.MockClock,
) -> None:
    kept: list[Send] = []

    async def write(send: Send) -> None:
        kept.append(send)
        await send(b"x")

    async with talking(giving(write)) as talk:
        await talk.send(GET)
        with pytest.raises(RuntimeError, match="the response is complete"):
            await kept[0](b"y")
        await talk.farewell()
    assert answer(talk).body == b"x"


async def test_text_is_no_piece(autojump_clock: trio.testing.MockClock) -> None:
    async def write(send: Send) -> None:
        await send("x")  # type: ignore[arg-type]  # the mistake in question

    talk = await say(giving(write), GET)
    assert answer(talk).status == 500
    assert "send() takes bytes" in str(talk.logs[0].exc_info)


@pytest.mark.parametrize(
    ("offset", "length"), [(0, 11), (6, 5), (0, 0), (3, 1)], ids=str
)
async def test_a_file_is_sent_from_its_offset(
    offset: int, length: int, autojump_clock: trio.testing.MockClock
) -> None:
    file = file_of(b"hello world", offset=offset, length=length)
    talk = await say(giving(file), GET)
    assert answer(talk).body == b"hello world"[offset : offset + length]
    assert answer(talk).headers["content-length"] == str(length)
    assert file.source.closed


async def test_a_large_file_goes_in_pieces(
    autojump_clock: trio.testing.MockClock,
) -> None:
    content = bytes(range(256)) * (FILE_PIECE // 100)
    talk = await say(giving(file_of(content)), GET)
    assert answer(talk).body == content


async def test_the_file_of_a_head_is_closed_unread(
    autojump_clock: trio.testing.MockClock,
) -> None:
    file = file_of(b"hello")
    talk = await say(giving(file), GET.replace(b"GET", b"HEAD"))
    assert answer(talk, "HEAD").headers["content-length"] == "5"
    assert (answer(talk, "HEAD").body, file.source.closed) == (b"", True)


FRAMED = [
    ("8.6 length of a 204", 204, {"content_length": "5"}, set[str]()),
    ("6.1 coding of a 204", 204, {"transfer_encoding": "chunked"}, set[str]()),
    ("15.4.5 length of a 304", 304, {"content_length": "5"}, {"content-length"}),
    ("6.1 coding of a 304", 304, {"transfer_encoding": "chunked"}, set[str]()),
    ("15.3.6 205", 205, {}, {"content-length"}),
]


@pytest.mark.parametrize(
    ("status", "fields", "framing"),
    [case[1:] for case in FRAMED],
    ids=[case[0] for case in FRAMED],
)
async def test_no_content_has_no_framing(
    status: int,
    fields: dict[str, str],
    framing: set[str],
    autojump_clock: trio.testing.MockClock,
) -> None:
    talk = await say(giving(b"", status, **fields), GET + GET)
    first, second = answers(talk)
    assert (first.status, second.status) == (status, status)
    assert {"content-length", "transfer-encoding"} & set(first.headers) == framing


@pytest.mark.parametrize(
    "body", [b"abc", writing(b"a", b"bc")], ids=["bytes", "pieces"]
)
async def test_a_coding_of_the_handlers_own_is_chunked_or_a_500(
    body: bytes | BodyWriter, autojump_clock: trio.testing.MockClock
) -> None:
    talk = await say(giving(body, transfer_encoding="chunked"), GET + GET)
    for got in answers(talk):
        assert (got.body, got.complete) == (b"abc", True)
        assert got.headers["transfer-encoding"] == "chunked"
        assert "content-length" not in got.headers
    failed(await say(giving(body, transfer_encoding="gzip"), GET))


@pytest.mark.parametrize(
    ("given_option", "option"),
    [("close", "close"), ("keep-alive", "close"), ("X", "close, x")],
)
async def test_the_last_response_has_one_connection_field(
    given_option: str, option: str, autojump_clock: trio.testing.MockClock
) -> None:
    async with talking(giving(b"hi", connection=given_option)) as talk:
        talk.service.drain()
        await talk.send(GET)
        await talk.farewell()
    assert talk.received.count(b"\r\nconnection: ") == 1
    assert answer(talk).headers["connection"] == option


async def test_a_handler_may_close_the_connection(
    autojump_clock: trio.testing.MockClock,
) -> None:
    talk = await say(giving(b"hi", connection="close"), GET + GET)
    assert answer(talk).body == b"hi"
    assert talk.over_at == 0


@given(st.text(max_size=20) | st.text("\r\n\0\t aé:", max_size=6))
def test_r1_what_can_be_set_arrives_as_it_is(value: str) -> None:
    headers = Headers()
    try:
        headers["x-tag"] = value
    except ValueError:
        return

    async def main() -> Talking:
        return await say(giving(x_tag=value), GET)

    talk = trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    assert answer(talk).headers.get("x-tag") == value.strip(" \t")


async def test_a_layer_may_replace_what_a_handler_streams(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def layered(request: Request) -> Response:
        response = await counting(request)
        response.body = b"short"
        return response

    assert answer(await say(layered, GET)).body == b"short"
