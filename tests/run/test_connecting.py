"""Connecting: who still has something to say at the end of all is heard."""

from __future__ import annotations

import gc
import socket

import trio

from tests.run.crowds import place, until
from trioweb import Request, Response
from trioweb.run.connecting import connecting


async def test_what_is_shielded_from_the_end_is_still_woken() -> None:
    """Whoever must finish and waits for its peer must not wait for a hub that left."""
    heard: list[bytes] = []

    async def finishing(peer: socket.socket, begun: trio.Event) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            peer.connect(listener.getsockname())
            sock, address = listener.accept()
        async with connecting() as connect:
            transport = connect(sock, address)
            try:
                with trio.CancelScope(shield=True, relative_deadline=5):
                    begun.set()
                    heard.append(bytes(await transport.receive_some()))
            finally:
                transport.abort()

    begun = trio.Event()
    with socket.socket() as peer:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(finishing, peer, begun)
            await begun.wait()
            nursery.cancel_scope.cancel()
            with trio.CancelScope(shield=True):
                await trio.sleep(0.05)  # the cancelled have gone
                peer.send(b"goodbye")
                await until(lambda: bool(heard))
    assert heard == [b"goodbye"]


async def test_a_connection_that_has_ended_leaves_nothing_to_the_collector() -> None:
    """Ten thousand in a second would be its work for the next one."""

    async def handler(request: Request) -> Response:
        return Response(200, body=b"here")

    async with place(handler) as server:
        gc.collect()
        gc.disable()
        try:
            for _ in range(50):
                assert (await server.asked()).endswith(b"here")
            await trio.sleep(0.05)
            assert gc.collect() < 50
        finally:
            gc.enable()
