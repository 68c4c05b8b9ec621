"""A cut response never looks complete: over TLS it ends without a goodbye."""

from __future__ import annotations

import ssl

import pytest
import trio

from tests.run.tls.meeting import CA, Peer, Place, place, rest
from trioweb import Config, Request, Response, Send, stream
from trioweb.wire.limits import Limits


async def handler(request: Request) -> Response:
    async def write(send: Send) -> None:
        await send(b"the first half\n")
        if request.path == "/fails":
            raise RuntimeError("in the middle")
        if request.path == "/stalls":
            while True:
                await send(bytes(1 << 16))

    return stream(write, "text/plain")


async def asked(found: Place, path: str) -> Peer:
    # An HTTP/1.0 peer has no framing but the end of the connection.
    peer = await found.connect()
    await peer.send_all(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
    return peer


async def test_a_complete_answer_ends_with_a_goodbye() -> None:
    async with place(handler) as found:
        peer = await asked(found, "/")
        assert (await rest(peer)).endswith(b"the first half\n")
        await peer.aclose()


async def test_t6_an_answer_that_fails_ends_without_one() -> None:
    async with place(handler) as found:
        peer = await asked(found, "/fails")
        with pytest.raises(trio.BrokenResourceError):
            await rest(peer)
        await trio.aclose_forcefully(peer)


async def test_t6_an_answer_that_stalls_ends_without_one() -> None:
    limits = Limits(stall=0.3, look=0.1, grace=0.1)
    config = Config(access_log="off", grace=1, limits=limits)
    async with place(handler, config=config) as found:
        peer = await asked(found, "/stalls")
        await trio.sleep(1)
        with pytest.raises(trio.BrokenResourceError):
            await rest(peer)
        await trio.aclose_forcefully(peer)


async def test_t6_an_answer_cut_by_a_stop_ends_without_one() -> None:
    config = Config(access_log="off", grace=0.1)
    async with place(handler, config=config, clear=False) as found:
        peer = await asked(found, "/stalls")
    with pytest.raises(trio.BrokenResourceError):
        await rest(peer)
    await trio.aclose_forcefully(peer)


async def test_an_upload_that_is_refused_over_tls_gets_its_answer() -> None:
    async def small(request: Request) -> Response:
        await request.body(limit=10)
        return Response(204)

    async with place(small) as found:
        peer = await found.connect()
        head = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3000000\r\n\r\n"

        async def upload() -> None:
            try:
                await peer.send_all(head + bytes(3_000_000))
            except trio.BrokenResourceError:
                pytest.fail("the answer was eaten")

        async with trio.open_nursery() as both:
            both.start_soon(upload)
            answer = b""
            while b"\r\n\r\n" not in answer:
                answer += await peer.receive_some()
        assert answer.startswith(b"HTTP/1.1 413 ")
        await trio.aclose_forcefully(peer)


async def test_tls_13_only_peers_and_tls_12_peers_are_told_alike() -> None:
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        async with place(handler) as found:
            context = ssl.create_default_context(cafile=CA)
            context.maximum_version = version
            peer = await found.connect(context)
            await peer.send_all(b"GET /fails HTTP/1.0\r\nHost: localhost\r\n\r\n")
            with pytest.raises(trio.BrokenResourceError):
                await rest(peer)
            await trio.aclose_forcefully(peer)
