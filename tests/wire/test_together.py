"""HTTP/1.1: answers to requests that came together leave together, and none is kept."""

from __future__ import annotations

import contextvars

import pytest
import trio
import trio.testing

from tests.wire.agreeing import on_the_lane
from tests.wire.handlers import GET, P, T, counting, hello
from tests.wire.talking import End, Talking, answers, talking
from trioweb.message.handler import Handler
from trioweb.message.request import Request
from trioweb.message.response import Response
from trioweb.testing.transport import MemoryTransport, memory_pair
from trioweb.wire.connection import serve
from trioweb.wire.service import Service
from trioweb.wire.together import MOST, TOGETHER


class Writes:
    """What is written on a transport, write by write."""

    def __init__(self, transport: MemoryTransport) -> None:
        self.sizes: list[int] = []
        send_all, send_now = transport.send_all, transport.send_now

        async def all_of(data: bytes | bytearray | memoryview) -> None:
            self.sizes.append(len(data))
            await send_all(data)

        def now(data: bytes) -> int:
            sent = send_now(data)
            if sent:
                self.sizes.append(sent)
            return sent

        vars(transport).update(send_all=all_of, send_now=now)


def asks(*paths: str) -> bytes:
    return b"".join(
        f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode() for path in paths
    )


async def read_to_the_end(peer: MemoryTransport) -> None:
    while await peer.receive_some():
        pass


async def writes_for(sent: bytes, handler: Handler = hello) -> list[int]:
    """How many bytes are written at a time in answer to what is *sent* at once."""
    ours, theirs = memory_pair(buffer=16 * MOST)
    writes = Writes(theirs)
    service = Service(handler)
    async with service.running(), trio.open_nursery() as nursery:
        nursery.start_soon(serve, theirs, service)
        await ours.send_all(sent)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    return writes.sizes


@on_the_lane
async def test_what_was_asked_together_is_answered_in_one_write() -> None:
    (one,) = await writes_for(GET)
    assert await writes_for(GET * 5) == [5 * one]


@on_the_lane
async def test_half_a_request_behind_them_holds_nothing_back() -> None:
    (one,) = await writes_for(GET)
    assert await writes_for(GET * 2 + GET[:-2]) == [2 * one]


@on_the_lane
async def test_others_get_their_turn_after_some() -> None:
    (one,) = await writes_for(GET)
    sizes = await writes_for(GET * 40)
    assert sum(sizes) == 40 * one
    assert 40 / TOGETHER <= len(sizes) <= 40 / TOGETHER + 1


async def test_without_anybody_to_send_it_later_nothing_is_held_back() -> None:
    ours, theirs = memory_pair()
    writes = Writes(theirs)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve, theirs, Service(hello))
        await ours.send_all(GET * 3)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert len(writes.sizes) == 3


async def test_large_answers_are_not_heaped_up() -> None:
    content = b"a" * (MOST // 3)

    async def large(request: Request) -> Response:
        return Response(200, body=content)

    sizes = await writes_for(GET * 9, large)
    assert sum(sizes) > 9 * len(content)
    assert max(sizes) <= MOST + len(content) + 1000


async def test_an_answer_is_not_kept_while_the_next_is_made(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def handler(request: Request) -> Response:
        if request.path == "/slow":
            await trio.sleep(10)
        return Response(200, body=request.path.encode())

    async with talking(handler) as talk:
        await talk.send(asks("/a", "/b", "/slow", "/c"))
        await trio.sleep(1)
        assert [got.body for got in answers(talk)] == [b"/a", b"/b"]
        await trio.sleep(10)
        assert [got.body for got in answers(talk)] == [b"/a", b"/b", b"/slow", b"/c"]


async def test_what_one_request_sets_the_next_does_not_see() -> None:
    who = contextvars.ContextVar("who", default="nobody")

    async def handler(request: Request) -> Response:
        before = who.get()
        if request.path != "/":
            who.set(request.path)
        return Response(200, body=before.encode())

    async with talking(handler) as talk:
        await talk.send(asks("/", "/me", "/", "/", "/you", "/"))
        await trio.testing.wait_all_tasks_blocked()
        assert [got.body for got in answers(talk)] == [b"nobody"] * 6


async def test_nor_what_is_only_equal_to_what_was_there_before() -> None:
    class Odd:
        def __eq__(self, other: object) -> bool:
            raise NotImplementedError

        __hash__ = object.__hash__

    seen = contextvars.ContextVar[list[str]]("seen")
    odd = contextvars.ContextVar[Odd]("odd")
    seen.set([])
    odd.set(Odd())

    async def handler(request: Request) -> Response:
        before = [*seen.get()]
        mine: list[str] = []
        seen.set(mine)
        if request.path == "/odd":
            odd.set(Odd())
        # Whoever goes on with it later must not do so in another's request.
        mine += [request.path] * (request.path == "/late")
        return Response(200, body=" ".join(before).encode())

    async with talking(handler) as talk:
        await talk.send(asks("/", "/odd", "/late", "/"))
        await trio.testing.wait_all_tasks_blocked()
        assert [(got.status, got.body) for got in answers(talk)] == [(200, b"")] * 4


async def test_whatever_comes_next_leaves_behind_what_was_held(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def handler(request: Request) -> Response:
        if request.path == "/stream":
            return await counting(request)
        if request.path == "/fail":
            raise ValueError
        return Response(200, body=await request.body())

    posted = P + b"Content-Length: 3\r\n\r\nabc"
    chunked = T + b"2\r\nde\r\n0\r\n\r\n"
    async with talking(handler) as talk:
        await talk.send(GET + asks("/stream") + posted + GET + chunked + asks("/fail"))
        await talk.over.wait()
    assert [(got.status, got.body) for got in answers(talk)][:5] == [
        (200, b""),
        (200, b"one two three"),
        (200, b"abc"),
        (200, b""),
        (200, b"de"),
    ]
    assert answers(talk)[5].status == 500
    assert talk.end is End.FIN
    assert [record.sent > 0 for record in talk.records] == [True] * 6
    assert sum(record.sent for record in talk.records) == len(talk.received)


def ending(talks: list[Talking]) -> Handler:
    """Ends the server in the midst of ``/end``."""

    async def handler(request: Request) -> Response:
        if request.path == "/end":
            talks[0].serving.cancel()
            await trio.lowlevel.checkpoint()
        return Response(200, body=b"done" * 80)

    return handler


async def test_what_was_answered_is_sent_though_the_server_ends_meanwhile(
    autojump_clock: trio.testing.MockClock,
) -> None:
    talks: list[Talking] = []
    async with talking(ending(talks)) as talk:
        talks.append(talk)
        await talk.send(asks("/a", "/end"))
        await talk.over.wait()
    assert answers(talk)[0].body == b"done" * 80


async def test_what_nobody_takes_is_no_end(
    autojump_clock: trio.testing.MockClock,
) -> None:
    talks: list[Talking] = []
    async with talking(ending(talks), buffer=100, listen=False) as talk:
        talks.append(talk)
        await talk.send(asks("/a", "/end"))
        await talk.served.wait()
        with pytest.raises(trio.BrokenResourceError):
            await read_to_the_end(talk.peer)
