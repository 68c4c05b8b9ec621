"""TLS on the hub, on a socket and in memory: the same bytes, and the same ends."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from tests.run.crowds import until
from tests.run.tls.meeting import (
    CARRIERS,
    met,
    rest,
)
from trioweb.message.transport import Gone
from trioweb.run.tls.bounds import RECORD

pytestmark = pytest.mark.parametrize("carrier", CARRIERS)

LONG = bytes(range(256)) * 4096 * 3  # 3 MiB: many records, many full buffers


async def test_bytes_go_both_ways_at_once(carrier: str) -> None:
    async with met(carrier) as (transport, peer):
        got: dict[str, bytes] = {}

        async def take(name: str, stream: trio.abc.ReceiveStream) -> None:
            data = b""
            while len(data) < len(LONG):
                data += await stream.receive_some()
            got[name] = data

        async with trio.open_nursery() as talking:
            talking.start_soon(take, "ours", transport)
            talking.start_soon(take, "theirs", peer)
            talking.start_soon(transport.send_all, LONG)
            talking.start_soon(peer.send_all, LONG)
        assert got == {"ours": LONG, "theirs": LONG}
        assert transport.secure


async def test_what_openssl_holds_already_is_not_waited_for(carrier: str) -> None:
    """Of a record that is read in parts, the socket says nothing more."""
    async with met(carrier) as (transport, peer):
        await peer.send_all(bytes(RECORD))
        with trio.fail_after(5):
            for _ in range(16):
                assert len(await transport.receive_some(1024)) == 1024


async def test_what_there_was_no_room_for_goes_on_where_it_stopped(
    carrier: str,
) -> None:
    """As the answers to requests that a peer sends faster than it reads."""
    longer = LONG * 4  # than what the system holds for them
    async with met(carrier) as (transport, peer):
        sent = 0
        while (taken := transport.send_now(longer[sent : sent + 5000])) == 5000:
            sent += 5000
        assert sent + taken < len(longer)
        got = bytearray()
        async with trio.open_nursery() as talking:
            talking.start_soon(transport.send_all, longer[sent + taken :])
            while len(got) < len(longer):
                got += await peer.receive_some()
        assert got == longer


async def test_nothing_and_views_can_be_sent(carrier: str) -> None:
    async with met(carrier) as (transport, peer):
        await transport.send_all(b"")
        await transport.send_all(memoryview(b"view"))
        await transport.send_all(bytearray(b"array"))
        await transport.aclose()
        assert await rest(peer) == b"viewarray"


async def test_a_goodbye_is_an_end(carrier: str) -> None:
    async with met(carrier) as (transport, peer):
        await peer.send_all(b"last words")
        await peer.aclose()
        assert await rest(transport) == b"last words"
        assert await transport.receive_some() == b""


async def test_t6_an_end_without_a_goodbye_is_a_fault(carrier: str) -> None:
    async with met(carrier) as (transport, peer):
        await peer.send_all(b"last wo")
        await peer.transport_stream.aclose()
        assert await transport.receive_some() == b"last wo"
        with pytest.raises(trio.BrokenResourceError):
            await transport.receive_some()


async def test_t6_closing_says_goodbye_and_waits_for_nobody(carrier: str) -> None:
    async with met(carrier) as (transport, peer):
        await transport.send_all(b"bye")
        with trio.fail_after(0.5):
            await transport.aclose()
            await transport.aclose()
        assert await rest(peer) == b"bye"


async def test_t6_closing_in_a_hurry_says_goodbye_too(carrier: str) -> None:
    """The wire closes every connection so."""
    async with met(carrier) as (transport, peer):
        await transport.send_all(b"bye")
        await trio.aclose_forcefully(transport)
        assert await rest(peer) == b"bye"


async def test_t6_breaking_off_says_no_goodbye(carrier: str) -> None:
    async with met(carrier) as (transport, peer):
        await transport.send_all(b"half of")
        transport.abort()
        with pytest.raises(trio.BrokenResourceError):
            await rest(peer)


async def test_t6_after_a_cancelled_write_there_is_no_goodbye(carrier: str) -> None:
    """What has gone may be half a record, of which the rest is lost."""
    async with met(carrier) as (transport, peer):
        with trio.move_on_after(0.05):
            while True:
                await transport.send_all(LONG)
        with pytest.raises(trio.BrokenResourceError):
            await transport.send_all(b"more")
        await transport.aclose()
        with pytest.raises(trio.BrokenResourceError):
            await rest(peer)


async def test_half_of_it_can_be_closed(carrier: str) -> None:
    async with met(carrier) as (transport, peer):
        await transport.send_all(b"question")
        await transport.send_eof()
        await transport.send_eof()
        with pytest.raises(trio.ClosedResourceError):
            await transport.send_all(b"more")
        assert await rest(peer) == b"question"
        await peer.transport_stream.aclose()
        with pytest.raises(trio.BrokenResourceError):
            await transport.receive_some()


async def test_a_goodbye_that_was_cancelled_is_said_the_next_time(carrier: str) -> None:
    """As by a WebSocket, which may be cancelled while it closes."""
    async with met(carrier) as (transport, peer):
        with trio.CancelScope() as closing:
            closing.cancel()
            await transport.send_eof()
        await transport.send_eof()
        with trio.fail_after(5):
            assert await rest(peer) == b""


async def test_what_comes_after_our_goodbye_is_taken_and_no_end(carrier: str) -> None:
    """Else closing would reset the connection, and eat what was said last."""
    async with met(carrier) as (transport, peer):
        await peer.send_all(bytes(40_000))
        await trio.testing.wait_all_tasks_blocked(0.01)
        await transport.send_all(b"too large")
        await transport.send_eof()
        async with trio.open_nursery() as parting:

            async def leave() -> None:
                assert await rest(peer) == b"too large"
                await peer.transport_stream.aclose()

            parting.start_soon(leave)
            with pytest.raises(trio.BrokenResourceError), trio.fail_after(5):
                await rest(transport)


async def test_who_leaves_is_heard(carrier: str) -> None:
    if carrier == "socket":
        pytest.skip("without a hub nobody is heard who is not read")
    async with met(carrier) as (transport, peer):
        heard: list[Gone] = []
        transport.gone = heard.append
        await trio.aclose_forcefully(peer)
        await until(lambda: bool(heard))
        assert set(heard) <= {Gone.FINISHED, Gone.RESET}  # it has left tickets unread
        transport.gone = None
        assert transport.gone is None


async def test_a_second_writer_is_refused(carrier: str) -> None:
    async with met(carrier) as (transport, _), trio.open_nursery() as writing:
        writing.start_soon(transport.send_all, LONG * 4)
        await trio.testing.wait_all_tasks_blocked(0.05)
        with pytest.raises(trio.BusyResourceError):
            await transport.send_all(b"x")
        writing.cancel_scope.cancel()


async def test_room_can_be_waited_for(carrier: str) -> None:
    async with met(carrier) as (transport, peer):
        with trio.fail_after(5):
            await transport.wait_send_all_might_not_block()
        await transport.send_all(b"x" * 1000)
        assert len(await peer.receive_some()) == 1000
        await trio.sleep(0.05)
        assert transport.taken() >= 1000
