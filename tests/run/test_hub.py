"""The hub: what it hears, and that no edge and no byte is lost."""

from __future__ import annotations

import random
import select
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest
import trio
import trio.testing

from trioweb.message.transport import Gone
from trioweb.run.hub import FAREWELLS, TURNS, Hub, HubTransport

pytestmark = pytest.mark.skipif(
    not hasattr(select, "epoll"), reason="the hub is Linux's"
)

ABORT = struct.pack("ii", 1, 0)


@asynccontextmanager
async def running() -> AsyncIterator[Hub]:
    hub = Hub()
    async with trio.open_nursery() as hubs:
        hubs.start_soon(hub.run)
        yield hub
        hubs.cancel_scope.cancel()


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[HubTransport, socket.socket]]:
    """Our end on a hub, and the peer's plain socket."""
    async with running() as hub:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            peer = socket.create_connection(listener.getsockname())
            transport = hub.accepted(*listener.accept())
        try:
            with peer:
                yield transport, peer
        finally:
            transport.abort()


def reset(peer: socket.socket) -> None:
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
    peer.close()


class Heard:
    """What `gone` was told, and a way to wait for it."""

    def __init__(self, transport: HubTransport) -> None:
        self.all: list[Gone] = []
        self._more = trio.Event()
        transport.gone = self._hear

    def _hear(self, gone: Gone) -> None:
        self.all.append(gone)
        self._more.set()

    async def next(self) -> Gone:
        with trio.fail_after(5):
            await self._more.wait()
        self._more = trio.Event()
        return self.all[-1]


async def test_a_reset_is_heard_while_nobody_reads() -> None:
    async with connected() as (transport, peer):
        heard = Heard(transport)
        reset(peer)
        assert await heard.next() is Gone.RESET
        with pytest.raises(trio.BrokenResourceError):
            await transport.receive_some()
        assert heard.all == [Gone.RESET]


async def test_an_end_is_heard_before_what_was_sent_is_read() -> None:
    async with connected() as (transport, peer):
        heard = Heard(transport)
        peer.sendall(b"last words")
        peer.shutdown(socket.SHUT_WR)
        assert await heard.next() is Gone.FINISHED
        assert await transport.receive_some(4) == b"last"
        assert await transport.receive_some() == b" words"
        assert await transport.receive_some() == b""
        assert await transport.receive_some() == b""


async def test_a_reset_after_an_end_is_heard_as_well() -> None:
    async with connected() as (transport, peer):
        heard = Heard(transport)
        peer.shutdown(socket.SHUT_WR)
        assert await heard.next() is Gone.FINISHED
        reset(peer)
        with suppress(trio.BrokenResourceError):
            await transport.send_all(b"x")
        assert await heard.next() is Gone.RESET
        assert heard.all == [Gone.FINISHED, Gone.RESET]


async def test_an_end_on_both_sides_is_no_reset() -> None:
    async with connected() as (transport, peer):
        heard = Heard(transport)
        await transport.send_eof()
        peer.close()
        assert await heard.next() is Gone.FINISHED
        assert await transport.receive_some() == b""
        assert heard.all == [Gone.FINISHED]


async def test_closing_wakes_both_who_wait() -> None:
    async with connected() as (transport, _):
        woken = 0

        async def wait(use: Callable[[], object]) -> None:
            nonlocal woken
            with pytest.raises(trio.ClosedResourceError):
                await use()  # type: ignore[misc]  # both of these are awaitable
            woken += 1

        async with trio.open_nursery() as waiting:
            waiting.start_soon(wait, transport.receive_some)
            waiting.start_soon(wait, lambda: transport.send_all(bytes(1 << 24)))
            await trio.testing.wait_all_tasks_blocked()
            await transport.aclose()
        assert woken == 2
        with pytest.raises(trio.ClosedResourceError):
            await transport.receive_some()
        with pytest.raises(trio.ClosedResourceError):
            await transport.send_all(b"x")
        await transport.aclose()


async def test_two_tasks_in_one_direction_are_refused() -> None:
    async with connected() as (transport, _):
        for use in (transport.receive_some, lambda: transport.send_all(bytes(1 << 24))):
            with pytest.RaisesGroup(trio.BusyResourceError):
                async with trio.open_nursery() as waiting:
                    waiting.start_soon(use)
                    await trio.testing.wait_all_tasks_blocked()
                    waiting.start_soon(use)


async def test_an_edge_meant_for_a_closed_socket_does_not_reach_its_successor() -> None:
    async with running() as hub:
        told: list[Gone] = []
        with socket.create_server(("127.0.0.1", 0)) as listener:
            first_peer = socket.create_connection(listener.getsockname())
            second_peer = socket.create_connection(listener.getsockname())
            first = hub.accepted(*listener.accept())
            second = hub.accepted(*listener.accept())
            third_peer = socket.create_connection(listener.getsockname())
            successors: list[HubTransport] = []

            def replace(_: Gone) -> None:
                # Both edges are in one batch; whichever comes first closes the other's
                # socket, whose number goes to the next that is accepted.
                if successors:
                    return
                first.abort()
                second.abort()
                successor = hub.accepted(*listener.accept())
                successor.gone = told.append
                successors.append(successor)

                replaced.set()

            replaced = trio.Event()
            first.gone = second.gone = replace
            await trio.testing.wait_all_tasks_blocked()
            reset(first_peer)
            reset(second_peer)
            with trio.fail_after(5):
                await replaced.wait()
            await trio.sleep(0.01)
            assert told == []
            third_peer.close()
            successors[0].abort()


async def test_whoever_asks_does_not_wait_for_all_who_leave() -> None:
    crowd = FAREWELLS * 20
    left: list[Gone] = []
    async with running() as hub:
        with socket.create_server(("127.0.0.1", 0), backlog=crowd + 1) as listener:
            peers, transports = [], []
            for _ in range(crowd + 1):
                peers.append(socket.create_connection(listener.getsockname()))
                transports.append(hub.accepted(*listener.accept()))
        for transport in transports:
            transport.gone = left.append
        await trio.testing.wait_all_tasks_blocked()
        *leaving, asking = peers
        for peer in leaving:
            peer.close()
        asking.sendall(b"?")
        with trio.fail_after(5):
            assert await transports[-1].receive_some() == b"?"
            assert len(left) <= 2 * FAREWELLS
            while len(left) < crowd:  # noqa: ASYNC110  # there is no event
                await trio.lowlevel.checkpoint()
        asking.close()
        for transport in transports:
            transport.abort()


async def test_a_busy_connection_lets_others_run() -> None:
    async with connected() as (transport, peer):
        others = 0

        async def other() -> None:
            nonlocal others
            while True:
                await trio.lowlevel.checkpoint()
                others += 1

        peer.sendall(bytes(TURNS * 4))
        await trio.sleep(0.01)
        async with trio.open_nursery() as running_too:
            running_too.start_soon(other)
            for _ in range(TURNS * 4):
                await transport.receive_some(1)
            running_too.cancel_scope.cancel()
        assert others >= 2  # it was started, and came back


async def test_nothing_is_sent_or_read_by_a_task_that_is_cancelled_already() -> None:
    async with connected() as (transport, peer):
        peer.sendall(b"kept")
        with trio.CancelScope() as scope:
            scope.cancel()
            await transport.send_all(b"too late")
        with trio.CancelScope() as scope:
            scope.cancel()
            await transport.receive_some()
        assert scope.cancelled_caught
        assert await transport.receive_some() == b"kept"
        await transport.send_eof()
        peer.setblocking(True)
        assert peer.recv(10) == b""


@pytest.mark.parametrize("seed", range(4))
async def test_every_byte_arrives_whatever_is_cancelled_meanwhile(seed: int) -> None:
    dice = random.Random(seed)
    size = 1_000_000
    received = [0, 0]

    async def read(transport: HubTransport, end: int) -> None:
        while received[end] < size:
            patience = dice.choice((0, 0, 1e-5, 1e-4, 0.01, 1))
            with trio.move_on_after(patience):
                most = dice.choice((1, 100, 65536)) if received[end] < 9000 else 65536
                received[end] += len(await transport.receive_some(most))

    async def write(transport: HubTransport) -> None:
        sent = 0
        while sent < size:
            most = dice.choice((1, 10, 70_000, 300_000)) if sent > 5000 else 97
            await transport.send_all(bytes(min(most, size - sent)))
            sent += min(most, size - sent)

    async with running() as hub:
        ours, theirs = socket.socketpair()
        ends = hub.accepted(ours, ""), hub.accepted(theirs, "")
        with trio.fail_after(30):
            async with trio.open_nursery() as both:
                for number, end in enumerate(ends):
                    both.start_soon(read, end, number)
                    both.start_soon(write, end)
        assert received == [size, size]
        for end in ends:
            end.abort()


async def test_whoever_listens_late_is_told_that_the_peer_has_left() -> None:
    async with connected() as (transport, peer):
        peer.shutdown(socket.SHUT_WR)
        await trio.testing.wait_all_tasks_blocked(0.01)
        heard = Heard(transport)
        assert heard.all == [Gone.FINISHED]


async def test_what_the_peer_has_taken_is_known() -> None:
    async with connected() as (transport, peer):
        with trio.move_on_after(0.05):
            await transport.send_all(bytes(1 << 24))
        before = transport.taken()
        assert before < 1 << 24
        # What is read makes room, and what finds room is acknowledged.
        peer.setblocking(False)
        with suppress(BlockingIOError):
            while peer.recv(1 << 16):
                pass
        await trio.sleep(0.05)
        assert before < transport.taken() <= 1 << 24
