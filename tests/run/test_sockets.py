"""SocketTransport: Trio's own promises for a stream, and what a socket adds to them."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress

import pytest
import trio
import trio.testing

from trioweb.message.transport import Peer
from trioweb.run.sockets import SocketTransport, accepted, peer_at

Pair = tuple[SocketTransport, SocketTransport]


def unix_pair() -> Pair:
    left, right = socket.socketpair()
    return accepted(left, ""), accepted(right, "")


def tcp_pair() -> Pair:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        calling = socket.create_connection(listener.getsockname())
        sock, address = listener.accept()
    return accepted(sock, address), accepted(calling, calling.getpeername())


@contextmanager
def closing(pair: Pair) -> Iterator[Pair]:
    try:
        yield pair
    finally:
        for transport in pair:
            transport.abort()


async def make_pair() -> Pair:
    return unix_pair()


def clog(sock: socket.socket) -> None:
    sock.setblocking(False)
    with suppress(BlockingIOError):
        while True:
            sock.send(b"x" * 4096)


async def make_clogged_pair() -> Pair:
    left, right = socket.socketpair()
    clog(left)
    clog(right)
    return accepted(left, ""), accepted(right, "")


async def test_it_keeps_the_promises_of_a_half_closeable_stream() -> None:
    await trio.testing.check_half_closeable_stream(make_pair, make_clogged_pair)


@pytest.mark.parametrize("make", [unix_pair, tcp_pair], ids=["unix", "tcp"])
async def test_a_large_write_arrives_whole_however_the_socket_takes_it(
    make: Callable[[], Pair],
) -> None:
    sent = bytes(range(256)) * 8192
    received = bytearray()
    with closing(make()) as (left, right):

        async def send() -> None:
            await left.send_all(sent)
            await left.send_eof()

        async with trio.open_nursery() as halves:
            halves.start_soon(send)
            while piece := await right.receive_some():
                received += piece
    assert received == sent


async def test_nothing_is_sent_by_a_task_that_is_cancelled_already() -> None:
    with closing(tcp_pair()) as (left, right):
        with trio.CancelScope() as scope:
            scope.cancel()
            await left.send_all(b"too late")
        await left.send_eof()
        assert await right.receive_some() == b""


async def test_what_has_been_sent_is_not_reported_as_cancelled() -> None:
    reported = 0
    with closing(tcp_pair()) as (left, right):

        async def send() -> None:
            nonlocal reported
            while True:
                await left.send_all(b"x")
                reported += 1

        async with trio.open_nursery() as sending:
            sending.start_soon(send)
            await trio.sleep(0.01)
            sending.cancel_scope.cancel()
        await left.send_eof()
        received = 0
        while piece := await right.receive_some():
            received += len(piece)
    assert received == reported > 0


async def test_aborting_resets_the_connection() -> None:
    with closing(tcp_pair()) as (left, right):
        left.abort()
        left.abort()
        with pytest.raises(trio.BrokenResourceError):
            await right.receive_some()
        with pytest.raises(trio.ClosedResourceError):
            await left.receive_some()


async def test_aborting_wakes_both_who_wait() -> None:
    sockets = socket.socketpair()
    clog(sockets[0])
    left, right = accepted(sockets[0], ""), accepted(sockets[1], "")
    with closing((left, right)):
        woken = 0

        async def wait(use: Callable[[], Awaitable[object]]) -> None:
            nonlocal woken
            with pytest.raises(trio.ClosedResourceError):
                await use()
            woken += 1

        async with trio.open_nursery() as waiting:
            waiting.start_soon(wait, left.receive_some)
            waiting.start_soon(wait, lambda: left.send_all(b"x"))
            await trio.testing.wait_all_tasks_blocked()
            left.abort()
        assert woken == 2


# Which of two tasks that can go on goes first is Trio's dice: often enough for both.
ROUNDS = 20


async def test_a_connection_closed_between_waking_and_reading_is_closed() -> None:
    async def read(transport: SocketTransport) -> None:
        with suppress(trio.ClosedResourceError):
            assert await transport.receive_some() == b"x"

    for _ in range(ROUNDS):
        with closing(unix_pair()) as (left, right):
            async with trio.open_nursery() as reading:
                reading.start_soon(read, left)
                await trio.testing.wait_all_tasks_blocked()
                await right.send_all(b"x")
                left.abort()


async def test_a_reader_woken_for_nothing_waits_on() -> None:
    async def read(transport: SocketTransport) -> None:
        assert await transport.receive_some() in {b"x", b"y"}

    for _ in range(ROUNDS):
        ours, theirs = socket.socketpair()
        with (
            ours.dup() as thief,
            closing((accepted(ours, ""), accepted(theirs, ""))) as (
                left,
                right,
            ),
        ):
            async with trio.open_nursery() as reading:
                reading.start_soon(read, left)
                await trio.testing.wait_all_tasks_blocked()
                await right.send_all(b"x")
                with suppress(BlockingIOError):
                    thief.recv(1)
                await trio.testing.wait_all_tasks_blocked()
                await right.send_all(b"y")


async def test_a_reset_is_heard_when_sending() -> None:
    with closing(tcp_pair()) as (left, right):
        right.abort()
        with suppress(trio.BrokenResourceError):
            await left.send_all(b"the reset may not have come yet")
        await trio.sleep(0.05)
        with pytest.raises(trio.BrokenResourceError):
            await left.send_all(b"x")


async def test_two_writers_are_refused_even_where_there_is_room() -> None:
    with closing(tcp_pair()) as (left, _):
        with pytest.RaisesGroup(trio.BusyResourceError):
            async with trio.open_nursery() as writers:
                writers.start_soon(left.send_all, b"one")
                writers.start_soon(left.send_all, b"two")
        await left.send_all(b"and it is free again")


async def test_finishing_towards_a_peer_that_has_reset_is_said() -> None:
    with closing(tcp_pair()) as (left, right):
        right.abort()
        await trio.sleep(0.05)
        with pytest.raises(trio.BrokenResourceError):
            await left.send_eof()


async def test_a_connection_closed_on_this_side_says_so_to_whoever_uses_it() -> None:
    left, right = tcp_pair()
    await left.aclose()
    await right.aclose()
    for use in (left.receive_some, left.send_eof, left.wait_send_all_might_not_block):
        with pytest.raises(trio.ClosedResourceError, match="closed on this side"):
            await use()


async def test_nothing_precedes_http() -> None:
    with closing(tcp_pair()) as (left, _):
        with trio.testing.assert_checkpoints():
            assert await left.handshake() is None
        assert not left.secure


async def test_small_writes_do_not_wait_for_one_another() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        calling = socket.create_connection(listener.getsockname())
        sock, address = listener.accept()
        transport = accepted(sock, address)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert transport.peer == Peer("127.0.0.1", calling.getsockname()[1])
        assert not sock.get_inheritable()
        calling.close()
        await transport.aclose()


ADDRESSES: list[tuple[object, Peer]] = [
    (("127.0.0.1", 5000), Peer("127.0.0.1", 5000)),
    (("::1", 5000, 0, 0), Peer("::1", 5000)),
    (("::ffff:192.0.2.1", 5000, 0, 0), Peer("192.0.2.1", 5000)),
    (("::ffff:0:1", 5000, 0, 0), Peer("::ffff:0:1", 5000)),
    ("", Peer("unix")),
    (b"\0abstract", Peer("unix")),
]


@pytest.mark.parametrize(("address", "peer"), ADDRESSES, ids=str)
def test_a_peer_is_named_by_its_address(address: object, peer: Peer) -> None:
    assert peer_at(address) == peer


async def test_what_a_peer_had_taken_can_be_asked_after_the_close() -> None:
    """By an alarm, whose failure would be the server's end."""
    with closing(tcp_pair()) as (ours, _):
        await ours.send_all(b"some")
        ours.abort()
        assert ours.taken() == 4
