"""The in-memory transport is a stream like any other, and hears its peer leave."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from trioweb.message.transport import Gone, Peer
from trioweb.testing.transport import MemoryTransport, memory_pair

Pair = tuple[MemoryTransport, MemoryTransport]


async def maker() -> Pair:
    await trio.lowlevel.checkpoint()
    return memory_pair()


async def clogged() -> Pair:
    one, two = memory_pair(buffer=3)
    await one.send_all(b"abc")
    await two.send_all(b"abc")
    return one, two


async def test_it_passes_the_checks_that_trio_has_for_streams() -> None:
    await trio.testing.check_half_closeable_stream(maker, clogged)


async def test_what_finds_room_is_sent_without_waiting() -> None:
    one, two = memory_pair(buffer=3)
    assert one.send_now(b"abcd") == 3
    assert one.send_now(b"d") == 0
    assert await two.receive_some() == b"abc"
    await two.aclose()
    with pytest.raises(trio.BrokenResourceError):
        one.send_now(b"d")


async def test_its_handshake_is_a_checkpoint() -> None:
    one, two = memory_pair(alpn="h2", secure=True, peer=Peer("192.0.2.1", 5))
    with trio.testing.assert_checkpoints():
        assert await one.handshake() == "h2"
    assert (one.secure, two.secure) == (True, True)
    assert str(two.peer) == "192.0.2.1:5"


async def test_without_arguments_it_is_memory_in_the_clear() -> None:
    one, two = memory_pair()
    assert await two.handshake() is None
    assert (one.secure, str(one.peer), one.peer.port) == (False, "memory", None)


def test_a_buffer_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="a buffer of 0 bytes"):
        memory_pair(buffer=0)


async def test_a_full_buffer_stops_the_sender() -> None:
    one, two = memory_pair(buffer=10)
    with trio.move_on_after(0.05) as scope:
        await one.send_all(bytes(11))
    assert scope.cancelled_caught
    assert await two.receive_some() == bytes(10)


async def test_pieces_larger_than_the_buffer_trickle(
    autojump_clock: trio.testing.MockClock,
) -> None:
    one, two = memory_pair(buffer=1)
    got = bytearray()
    async with trio.open_nursery() as sending:
        sending.start_soon(one.send_all, b"one by one")
        while len(got) < 10:
            got += await two.receive_some()
    assert got == b"one by one"


async def test_what_was_sent_before_the_end_is_still_received() -> None:
    one, two = memory_pair()
    await one.send_all(b"last words")
    await one.aclose()
    assert two.readable
    assert await two.receive_some(4) == b"last"
    assert await two.receive_some() == b" words"
    assert await two.receive_some() == b""
    assert await two.receive_some() == b""


async def test_a_cancelled_receive_loses_nothing() -> None:
    one, two = memory_pair()
    await one.send_all(b"kept")
    with trio.CancelScope() as scope:
        scope.cancel()
        await two.receive_some()
    assert await two.receive_some() == b"kept"


# --------------------------------------------------------------------------- leaving


def listen(transport: MemoryTransport) -> list[Gone]:
    heard: list[Gone] = []
    transport.gone = heard.append
    return heard


async def test_an_end_is_heard_at_once_though_nobody_reads() -> None:
    one, two = memory_pair()
    heard = listen(two)
    await one.send_all(b"unread")
    await one.send_eof()
    assert heard == [Gone.FINISHED]
    await one.send_eof()
    await one.aclose()
    assert heard == [Gone.FINISHED]


async def test_a_close_is_heard_before_it_has_returned() -> None:
    one, two = memory_pair()
    heard = listen(two)
    with trio.CancelScope() as scope:
        scope.cancel()
        await one.aclose()
    assert heard == [Gone.FINISHED]


async def test_a_reset_is_heard_at_once_and_after_an_end_too() -> None:
    one, two = memory_pair()
    heard = listen(two)
    await one.send_eof()
    one.abort()
    one.abort()
    await one.aclose()
    assert heard == [Gone.FINISHED, Gone.RESET]


async def test_who_listens_late_hears_it_then_and_once() -> None:
    one, two = memory_pair()
    await one.aclose()
    assert listen(two) == [Gone.FINISHED]
    assert listen(two) == []
    two.gone = None
    assert two.gone is None


async def test_who_has_closed_hears_nothing() -> None:
    one, two = memory_pair()
    heard = listen(two)
    await two.aclose()
    one.abort()
    assert heard == []


async def test_a_reset_takes_the_bytes_along_that_were_not_read() -> None:
    one, two = memory_pair()
    await one.send_all(b"lost")
    one.abort()
    assert two.readable
    with pytest.raises(trio.BrokenResourceError, match="reset"):
        await two.receive_some()
    with pytest.raises(trio.BrokenResourceError, match="reset"):
        await two.send_all(b"x")
    with pytest.raises(trio.BrokenResourceError, match="reset"):
        await two.send_eof()
    with pytest.raises(trio.ClosedResourceError):
        await one.receive_some()
    with pytest.raises(trio.ClosedResourceError):
        await one.send_all(b"x")
    assert (one.closed, two.closed) == (True, False)


async def test_a_reset_wakes_a_receiver_and_a_sender() -> None:
    one, two = memory_pair(buffer=1)
    woken: list[str] = []

    async def receive() -> None:
        with pytest.raises(trio.BrokenResourceError):
            await two.receive_some()
        woken.append("receiver")

    async def send() -> None:
        with pytest.raises(trio.BrokenResourceError):
            await two.send_all(b"too long")
        woken.append("sender")

    async with trio.open_nursery() as waiting:
        waiting.start_soon(receive)
        waiting.start_soon(send)
        await trio.testing.wait_all_tasks_blocked()
        one.abort()
    assert sorted(woken) == ["receiver", "sender"]


async def test_an_abort_wakes_our_own_tasks() -> None:
    one, _two = memory_pair(buffer=1)

    async def send() -> None:
        with pytest.raises(trio.ClosedResourceError):
            await one.send_all(b"too long")

    async def receive() -> None:
        with pytest.raises(trio.ClosedResourceError):
            await one.receive_some()

    async with trio.open_nursery() as waiting:
        waiting.start_soon(send)
        waiting.start_soon(receive)
        await trio.testing.wait_all_tasks_blocked()
        one.abort()


async def test_sending_to_an_end_that_closed_fails_at_once() -> None:
    one, two = memory_pair()
    await one.aclose()
    with pytest.raises(trio.BrokenResourceError, match="closed"):
        await two.send_all(b"x")


def test_it_has_no_system_that_sends_files() -> None:
    ours, _ = memory_pair()
    assert not ours.sends_files
    assert ours.send_file_now(0, 0, 1) == 0
