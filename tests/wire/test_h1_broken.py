"""HTTP/1.1: responses that cannot be sent are replaced, or break off visibly."""

from __future__ import annotations

import contextlib

import pytest
import trio
import trio.testing

from tests.wire.answering import broken, failed, giving, writing
from tests.wire.handlers import GET, file_of, opened
from tests.wire.talking import answers, say, talking
from trioweb.message.response import BodyWriter, File, Send


async def test_a_file_that_has_shrunk_breaks_off_visibly(
    autojump_clock: trio.testing.MockClock,
) -> None:
    file = file_of(b"hello", length=9)
    broken(await say(giving(file), GET))
    assert file.source.closed


async def test_a_file_that_has_shrunk_to_nothing_is_a_500(
    autojump_clock: trio.testing.MockClock,
) -> None:
    failed(await say(giving(file_of(b"", length=9)), GET))


async def test_a_file_that_cannot_be_read_is_a_500(
    autojump_clock: trio.testing.MockClock,
) -> None:
    source = opened(b"hello")
    file = File(source, 0, 5)
    source.close()
    failed(await say(giving(file), GET))


R6 = [
    ("bytes, less", b"abc", "5", failed),
    ("bytes, more", b"abcdefgh", "5", failed),
    ("streamed, less", writing(b"abc"), "5", broken),
    ("streamed, nothing", writing(), "5", failed),
    ("streamed, more", writing(b"abc", b"def"), "5", broken),
    ("streamed, more at once", writing(b"abcdefgh"), "5", failed),
    ("no number", b"abc", "five", failed),
]


@pytest.mark.parametrize(
    ("body", "length", "outcome"),
    [case[1:] for case in R6],
    ids=["R6 " + case[0] for case in R6],
)
async def test_a_length_that_does_not_match_is_never_a_clean_end(
    body: bytes | BodyWriter,
    length: str,
    outcome: object,
    autojump_clock: trio.testing.MockClock,
) -> None:
    assert callable(outcome)
    outcome(await say(giving(body, content_length=length), GET))


async def test_r6_a_file_longer_than_declared_is_a_500(
    autojump_clock: trio.testing.MockClock,
) -> None:
    failed(await say(giving(file_of(b"abcdefgh"), content_length="5"), GET))


async def test_a_streamed_body_of_declared_length_is_not_chunked(
    autojump_clock: trio.testing.MockClock,
) -> None:
    talk = await say(giving(writing(b"abc", b"de"), content_length="5"), GET + GET)
    assert [got.body for got in answers(talk)] == [b"abcde"] * 2
    assert b"transfer-encoding" not in talk.received


async def test_l7_a_head_of_70_kib_is_a_500(
    autojump_clock: trio.testing.MockClock,
) -> None:
    failed(await say(giving(x="a" * 70 * 1024), GET))


async def test_a_piece_that_was_cut_off_is_not_followed_by_another(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def write(send: Send) -> None:
        with trio.move_on_after(1):
            await send(bytes(100_000))  # nobody reads for so long
        await send(b"more")

    async with talking(giving(write), listen=False) as talk:
        await talk.peer.send_all(GET)
        await trio.sleep(2)
        await talk.listen()
    broken(talk)


async def test_nor_is_the_body_at_its_end_then(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def write(send: Send) -> None:
        with trio.move_on_after(1):
            await send(bytes(100_000))

    for head in (GET, b"GET / HTTP/1.0\r\n\r\n"):
        async with talking(giving(write), listen=False) as talk:
            await talk.peer.send_all(head)
            await trio.sleep(2)
            await talk.listen()
        broken(talk)


async def test_two_tasks_cannot_send_at_once(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def write(send: Send) -> None:
        async with trio.open_nursery() as both:
            both.start_soon(send, b"a")
            both.start_soon(send, b"b")

    async with talking(giving(write)) as talk:
        with contextlib.suppress(trio.BrokenResourceError):
            await talk.send(GET)
        await talk.farewell()
    broken(talk)
