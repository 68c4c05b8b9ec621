"""Too many requests at once: those at work go on, the others are told (L10)."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import trio
import trio.testing

from tests.wire.handlers import GET
from trioweb.message.handler import Handler
from trioweb.message.request import Request
from trioweb.message.response import Response, Send
from trioweb.testing.transport import MemoryTransport, memory_pair
from trioweb.wire.connection import serve
from trioweb.wire.limits import Limits
from trioweb.wire.service import Service

TWO = Limits(at_work=2)


@contextlib.asynccontextmanager
async def crowd(handler: Handler, size: int) -> AsyncIterator[list[MemoryTransport]]:
    """So many connections to one service that lets two handlers work at once."""
    service = Service(handler, TWO)
    async with service.running(), trio.open_nursery() as connections:
        peers = []
        for _ in range(size):
            ours, theirs = memory_pair()
            connections.start_soon(serve, theirs, service)
            peers.append(ours)
        yield peers
        connections.cancel_scope.cancel()


async def ask(peer: MemoryTransport) -> bytes:
    await peer.send_all(GET)
    await trio.testing.wait_all_tasks_blocked()
    return await peer.receive_some()


async def test_l10_one_request_too_many_is_told_to_come_back(
    autojump_clock: trio.testing.MockClock,
) -> None:
    asked: list[float] = []

    async def slow(request: Request) -> Response:
        asked.append(trio.current_time())
        await trio.sleep(10)
        return Response(200, body=b"done")

    async with crowd(slow, 3) as (one, two, three):
        await one.send_all(GET)
        await two.send_all(GET)
        await trio.testing.wait_all_tasks_blocked()
        refused = await ask(three)
        # At once, without the handler, and its connection may stay.
        assert (trio.current_time(), len(asked)) == (0, 2)
        assert refused.startswith(b"HTTP/1.1 503 ")
        assert b"\r\nretry-after: 1\r\n" in refused.lower()
        assert b"\r\nconnection: close" not in refused.lower()
        for peer in (one, two):
            assert (await peer.receive_some()).endswith(b"done")
        # Who comes back when there is room is answered like anybody else.
        assert (await ask(three)).endswith(b"done")
        assert asked == [0, 0, 10]


async def test_l10_who_fails_or_leaves_makes_room(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def fail(request: Request) -> Response:
        await trio.sleep(1)
        raise ValueError

    async with crowd(fail, 4) as (one, two, three, four):
        await one.send_all(GET)
        await two.send_all(GET)
        await trio.testing.wait_all_tasks_blocked()
        one.abort()
        assert (await ask(three)).startswith(b"HTTP/1.1 500 ")
        await two.receive_some()
        assert (await ask(four)).startswith(b"HTTP/1.1 500 ")


async def test_l10_streams_do_not_count_once_they_have_begun(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def endless(request: Request) -> Response:
        async def write(send: Send) -> None:
            await send(b"first")
            await trio.sleep_forever()

        return Response(200, body=write)

    async with crowd(endless, 5) as peers:
        for peer in peers:
            assert (await ask(peer)).startswith(b"HTTP/1.1 200 ")
