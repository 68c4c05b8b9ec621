"""How a connection over TLS begins: on the hub, on a socket and in memory alike."""

from __future__ import annotations

import ssl
import sys

import pytest
import trio
import trio.testing

from tests.run.crowds import reset
from tests.run.tls.meeting import (
    CARRIERS,
    SERVER,
    carried,
    hello,
    over,
    split,
    trusting,
)

pytestmark = pytest.mark.parametrize("carrier", CARRIERS)


@pytest.mark.parametrize("records", [1, 2, 16])
async def test_t4_a_name_that_is_no_text_is_refused_without_a_traceback(
    carrier: str, records: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python would print one, as often as anybody likes."""
    ignored: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", ignored.append)
    async with carried(carrier) as (transport, peer):
        sent = hello().replace(b"localhost", b"local\xffost")
        await peer.send_all(split(sent, records))
        with trio.fail_after(5), pytest.raises(trio.BrokenResourceError):
            await transport.handshake()
        assert await peer.receive_some() == b"\x15\x03\x03\0\2\2\x70"
    assert not ignored


async def test_t4_a_first_message_may_be_split_into_records(carrier: str) -> None:
    """As some do, so that nobody on the way reads the name."""
    async with carried(carrier) as (transport, stream):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        peer = trusting().wrap_bio(incoming, outgoing, server_hostname="localhost")
        agreed: list[str | None] = []

        async def shake() -> None:
            agreed.append(await transport.handshake())

        async with trio.open_nursery() as meeting:
            meeting.start_soon(shake)
            with pytest.raises(ssl.SSLWantReadError):
                peer.do_handshake()
            await stream.send_all(split(outgoing.read(), 3))
            with trio.fail_after(5):
                await finish(peer, stream, incoming, outgoing)
        assert agreed == [None]
        assert transport.peer.asked == "localhost"


async def finish(
    peer: ssl.SSLObject,
    stream: trio.abc.Stream,
    incoming: ssl.MemoryBIO,
    outgoing: ssl.MemoryBIO,
) -> None:
    """Shake hands to the end."""
    while True:
        incoming.write(await stream.receive_some())
        try:
            peer.do_handshake()
        except ssl.SSLWantReadError:
            continue
        await stream.send_all(outgoing.read())
        return


async def test_the_protocol_agreed_on_is_told(carrier: str) -> None:
    for offered, agreed in ((("http/1.1",), "http/1.1"), (("foo",), None), ((), None)):
        async with carried(carrier) as (transport, stream):
            peer = over(stream, trusting(alpn=offered))
            protocols: list[str | None] = []

            async def meet(found: list[str | None] = protocols) -> None:
                found.append(await transport.handshake())

            async with trio.open_nursery() as meeting:
                meeting.start_soon(meet)
                await peer.do_handshake()
            assert protocols == [agreed]
            assert transport.peer.asked == "localhost"
            assert transport.peer.certificate is None


async def test_f19_plain_http_is_told_that_https_is_spoken_here(carrier: str) -> None:
    async with carried(carrier) as (transport, stream):
        async with trio.open_nursery() as meeting:

            async def refused() -> None:
                with pytest.raises(trio.BrokenResourceError):
                    await transport.handshake()

            meeting.start_soon(refused)
            await stream.send_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            answer = b""
            with trio.fail_after(5):
                while b"https://" not in answer:
                    answer += await stream.receive_some()
            await stream.aclose()
        assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
        assert b"connection: close" in answer


@pytest.mark.parametrize("said", [b"\0\1\2\3", b"\x16\x03\x01\xff\xff" + bytes(9), b""])
async def test_f19_what_is_neither_is_left_at_once(carrier: str, said: bytes) -> None:
    async with carried(carrier) as (transport, stream):
        if said:
            await stream.send_all(said)
        else:
            await stream.aclose()
        with pytest.raises(trio.BrokenResourceError), trio.fail_after(0.5):
            await transport.handshake()


async def test_who_leaves_in_the_middle_of_its_first_message_is_gone(
    carrier: str,
) -> None:
    async with carried(carrier) as (transport, stream):
        await stream.send_all(hello()[:-9])
        await stream.aclose()
        with pytest.raises(trio.BrokenResourceError), trio.fail_after(5):
            await transport.handshake()


async def test_a_first_message_may_come_byte_by_byte(carrier: str) -> None:
    async with carried(carrier) as (transport, stream):

        async def dribble() -> None:
            for byte in hello():
                await stream.send_all(bytes([byte]))
                await trio.lowlevel.checkpoint()
            answer = b""
            with trio.fail_after(5):
                while len(answer) < 100:
                    answer += await stream.receive_some()
            assert answer.startswith(b"\x16\x03\x03")
            await stream.aclose()

        async def shake() -> None:
            with pytest.raises(trio.BrokenResourceError):
                await transport.handshake()

        async with trio.open_nursery() as meeting:
            meeting.start_soon(shake)
            meeting.start_soon(dribble)


async def test_who_leaves_in_the_middle_of_the_handshake_is_gone(carrier: str) -> None:
    async with carried(carrier) as (transport, stream):
        await stream.send_all(hello())
        async with trio.open_nursery() as meeting:

            async def shake() -> None:
                with pytest.raises(trio.BrokenResourceError):
                    await transport.handshake()

            meeting.start_soon(shake)
            await trio.testing.wait_all_tasks_blocked(0.01)
            await stream.aclose()


async def test_t1_weak_ciphers_are_refused_with_an_alert(carrier: str) -> None:
    """No cipher without forward secrecy is spoken."""
    async with carried(carrier, SERVER) as (transport, stream):
        context = trusting()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers("AES128-SHA")
        peer = over(stream, context)
        async with trio.open_nursery() as meeting:

            async def refused() -> None:
                with pytest.raises(trio.BrokenResourceError):
                    await transport.handshake()

            meeting.start_soon(refused)
            with pytest.raises(trio.BrokenResourceError) as caught:
                await peer.do_handshake()
            assert "ALERT_HANDSHAKE_FAILURE" in str(caught.value.__cause__)
            await trio.aclose_forcefully(peer)


async def test_a_reset_before_the_first_message_is_a_fault(carrier: str) -> None:
    if carrier == "memory":
        pytest.skip("a stream in memory is reset by its other end only")
    async with carried(carrier) as (transport, stream):
        assert isinstance(stream, trio.SocketStream)
        reset(stream)
        with pytest.raises(trio.BrokenResourceError), trio.fail_after(5):
            await transport.handshake()
