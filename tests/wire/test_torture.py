"""A response that was cut short never looks complete (X3).

The server is cancelled at every step of its scheduler, and its peer leaves after every
byte, while it answers with bytes, a stream, a file or an echo.  What the peer has then
is the whole response, or something that says that it is not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import trio
import trio.lowlevel
import trio.testing

from tests.wire.handlers import GET, counting, echo, file_of
from tests.wire.talking import Answer, End, Talking, answer, answers, talking
from trioweb.message.handler import Handler
from trioweb.message.request import Request
from trioweb.message.response import Response

# Little room between the ends, so that there are many steps to be cut off at.
ROOM = 16

UPLOAD = (
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n"
    b"\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
)
ASKED = GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
OLD = b"GET / HTTP/1.0\r\n\r\n"


async def whole(request: Request) -> Response:
    return Response(200, body=b"hello world")


async def filed(request: Request) -> Response:
    return Response(200, body=file_of(b"hello world"))


@dataclass(frozen=True)
class Exchange:
    """A request, who answers it, and what the answer is when it is whole."""

    request: bytes
    handler: Handler
    body: bytes


EXCHANGES = {
    "bytes": Exchange(ASKED, whole, b"hello world"),
    "bytes to 1.0": Exchange(OLD, whole, b"hello world"),
    "chunked": Exchange(ASKED, counting, b"one two three"),
    "until the end": Exchange(OLD, counting, b"one two three"),
    "file": Exchange(ASKED, filed, b"hello world"),
    "echo": Exchange(UPLOAD, echo, b"hello world"),
}
each = pytest.mark.parametrize("exchange", EXCHANGES.values(), ids=EXCHANGES.keys())


class Steps(trio.abc.Instrument):
    """Does something at the scheduler's *last*-th step."""

    def __init__(self, last: int, act: Callable[[], object]) -> None:
        self.left = last
        self.act = act

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self.left -= 1
        if self.left == 0:
            self.act()


def honest(talk: Talking, exchange: Exchange) -> bool:
    """Whether what was heard is the whole response, or plainly not; True if whole."""
    found: list[Answer] = answers(talk)
    assert len(found) <= 1
    if not found or not found[0].complete or talk.end is not End.FIN:
        return False
    assert (found[0].status, found[0].body) == (200, exchange.body)
    return True


@each
async def test_the_server_is_cancelled_at_every_step(
    exchange: Exchange, autojump_clock: trio.testing.MockClock
) -> None:
    outcomes: list[bool] = []
    for last in range(1, 1000):
        async with talking(exchange.handler, buffer=ROOM) as talk:
            steps = Steps(last, talk.serving.cancel)
            trio.lowlevel.add_instrument(steps)
            await talk.send(exchange.request)
            await talk.farewell()
            trio.lowlevel.remove_instrument(steps)
        outcomes.append(honest(talk, exchange))
        assert talk.logs == []
        if steps.left > 0:
            break
    assert outcomes[-1], "the last one was not cut off"
    assert outcomes.count(False) > 10


@each
async def test_the_peer_leaves_after_every_byte_of_the_request(
    exchange: Exchange, autojump_clock: trio.testing.MockClock
) -> None:
    before = trio.lowlevel.current_statistics().tasks_living
    for at in range(len(exchange.request)):
        for reset in (True, False):
            async with talking(exchange.handler, buffer=ROOM) as talk:
                await talk.send(exchange.request[:at])
                if reset:
                    talk.peer.abort()
                else:
                    await talk.peer.send_eof()
                await talk.served.wait()
            assert not honest(talk, exchange)
            assert talk.logs == []
    assert trio.lowlevel.current_statistics().tasks_living == before


@each
async def test_s10_the_peer_leaves_after_every_byte_of_the_response(
    exchange: Exchange, autojump_clock: trio.testing.MockClock
) -> None:
    before = trio.lowlevel.current_statistics().tasks_living
    async with talking(exchange.handler) as talk:
        await talk.send(exchange.request)
        await talk.farewell()
    length = len(talk.received)
    for at in range(1, length):
        for reset in (True, False):
            async with (
                talking(exchange.handler, buffer=ROOM, listen=False) as talk,
                trio.open_nursery() as sending,
            ):
                sending.start_soon(talk.send, exchange.request)
                for _ in range(at):
                    talk.received += await talk.peer.receive_some(1)
                if reset:
                    talk.peer.abort()
                else:
                    await talk.peer.aclose()
                await talk.served.wait()
            assert talk.logs == []
            (record,) = talk.records
            if at < length - ROOM:
                assert record.ending.value == "gone"
    assert trio.lowlevel.current_statistics().tasks_living == before


@each
async def test_the_peer_half_closes_and_still_gets_it_all(
    exchange: Exchange, autojump_clock: trio.testing.MockClock
) -> None:
    async with talking(exchange.handler) as talk:
        await talk.send(exchange.request)
        await talk.peer.send_eof()
        await talk.farewell()
    assert answer(talk).body == exchange.body


async def test_the_harness_finds_a_body_that_ends_while_unwinding(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """The planted bug: a server that ends its stream whatever happens."""
    ours, theirs = trio.testing.memory_stream_pair()

    async def careless() -> None:
        try:
            await theirs.send_all(b"HTTP/1.0 200 OK\r\n\r\none ")
            await trio.sleep(1)
            await theirs.send_all(b"two three")
        finally:
            await trio.aclose_forcefully(theirs)

    received = bytearray()
    with trio.move_on_after(0.5):
        await careless()
    while data := await ours.receive_some():
        received += data
    talk = Talking(None, None, [], [], trio.CancelScope())  # type: ignore[arg-type]  # only what was heard counts
    talk.received, talk.end = bytes(received), End.FIN
    with pytest.raises(AssertionError):
        honest(talk, EXCHANGES["until the end"])
