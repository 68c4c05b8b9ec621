"""Tunnels: a stream that another protocol has to itself (RFC 8441)."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from tests.wire.h2.peer import Peer, asked, speaking
from trioweb.message.request import Request
from trioweb.message.response import Response
from trioweb.wire.h2_codes import Code

CONNECT = [
    (":method", "CONNECT"),
    (":protocol", "Any"),
    (":scheme", "http"),
    (":authority", "a"),
    (":path", "/tunnel"),
]


async def connect(peer: Peer) -> int:
    stream = peer.queue_head(CONNECT, end=False)
    await peer.flush()
    return stream


async def echoing(tunnel: trio.abc.Stream) -> None:
    await tunnel.wait_send_all_might_not_block()
    while data := await tunnel.receive_some(3):
        await tunnel.send_all(data)


async def test_a_stream_is_a_tunnel() -> None:
    async def handler(request: Request) -> Response:
        assert (request.method, request.upgrade) == ("GET", "any")
        return Response(200, {"upgrade": "any", "x": "y"}, tunnel=echoing)

    async with speaking(handler) as peer:
        stream = await connect(peer)
        answer = peer.answers[stream]
        assert (answer.status, answer.headers["x"]) == (200, "y")
        assert "upgrade" not in answer.headers
        await peer.data(stream, b"abcdefg")
        assert (answer.body, answer.pieces) == (b"abcdefg", [3, 3, 1])
        assert not answer.complete
        await peer.data(stream, b"", end=True)
    assert answer.complete
    assert [each.ending.value for each in peer.talk.records] == ["complete"]


async def test_whoever_did_not_ask_for_a_tunnel_is_told_to() -> None:
    async def handler(request: Request) -> Response:
        return Response(200, {"upgrade": "any"}, tunnel=echoing)

    answer, _ = await asked(handler)
    assert (answer.status, answer.complete) == (426, True)
    assert "upgrade" not in answer.headers


async def test_a_tunnel_that_was_closed_is_closed() -> None:
    async def talk(tunnel: trio.abc.Stream) -> None:
        await tunnel.send_all(b"all")
        await tunnel.aclose()
        with pytest.raises(trio.ClosedResourceError):
            await tunnel.send_all(b"more")
        await tunnel.aclose()

    async def handler(request: Request) -> Response:
        return Response(200, tunnel=talk)

    async with speaking(handler) as peer:
        answer = peer.answers[await connect(peer)]
    assert (answer.body, answer.complete) == (b"all", True)
    assert not peer.talk.logs


async def test_a_peer_that_resets_its_tunnel_has_left() -> None:
    found: list[str] = []

    async def talk(tunnel: trio.abc.Stream) -> None:
        with trio.CancelScope(shield=True):
            for use in (tunnel.receive_some(), tunnel.send_all(b"x")):
                try:
                    await use
                except trio.BrokenResourceError:
                    found.append("broken")
            await tunnel.aclose()
        await trio.lowlevel.checkpoint()

    async def handler(request: Request) -> Response:
        return Response(200, tunnel=talk)

    async with speaking(handler) as peer:
        stream = await connect(peer)
        await peer.reset(stream, Code.CANCEL)
        await trio.testing.wait_all_tasks_blocked()
    assert found == ["broken", "broken"]
    assert [each.ending.value for each in peer.talk.records] == ["gone"]


async def test_a_write_to_a_tunnel_that_was_cut_off_is_the_last() -> None:
    found: list[str] = []

    async def talk(tunnel: trio.abc.Stream) -> None:
        with trio.move_on_after(0.01):
            await tunnel.send_all(bytes(100_000))
        try:
            await tunnel.send_all(b"x")
        except trio.BrokenResourceError:
            found.append("broken")

    async def handler(request: Request) -> Response:
        return Response(200, tunnel=talk)

    async with speaking(handler, crediting=False) as peer:
        stream = await connect(peer)
        await trio.sleep(0.05)
        await trio.testing.wait_all_tasks_blocked()
    assert found == ["broken"]
    assert not peer.answers[stream].complete
    assert peer.answers[stream].reset is not None
