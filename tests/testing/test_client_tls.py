"""The client over TLS, and by HTTP/2: in memory, and otherwise as on the network."""

from __future__ import annotations

import ssl

import httpx2
import pytest
import trio

from tests.run.tls.meeting import SERVER, pem, trusting
from trioweb import TLS, Config, Request, Response, SetupError
from trioweb.message.response import Send
from trioweb.testing import client

HERE = "https://localhost"
SERVED = Config(access_log="off", tls=SERVER)
ASKING = Config(
    access_log="off",
    tls=TLS(SERVER.cert, SERVER.key, client="request", client_ca=pem("ca.pem")),
)


async def handler(request: Request) -> Response:
    shown = request.peer.certificate
    told = [
        request.scheme,
        request.version,
        str(request.peer.asked),
        "nobody" if shown is None else str(shown.subject[-1][1]),
    ]
    return Response(200, body=" ".join(told).encode())


async def test_what_tls_tells_is_seen_by_the_handler() -> None:
    async with client(
        handler, base_url=HERE, config=SERVED, context=trusting()
    ) as peer:
        for _ in range(2):  # the second on the same connection
            assert (await peer.get("/")).text == "https 1.1 localhost nobody"


async def test_a_certificate_of_the_client_is_verified() -> None:
    context = trusting()
    context.load_cert_chain(pem("visitor.pem"), pem("visitor.key"))
    async with client(handler, base_url=HERE, config=ASKING, context=context) as peer:
        assert (await peer.get("/")).text == "https 1.1 localhost visitor"


async def test_http2_is_agreed_on() -> None:
    async with client(
        handler, base_url=HERE, config=SERVED, context=trusting(), http2=True
    ) as peer:
        answer = await peer.get("/")
        assert answer.text == "https 2 localhost nobody"
        assert answer.http_version == "HTTP/2"


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_http2_needs_no_certificate(scheme: str) -> None:
    async with client(handler, base_url=f"{scheme}://test", http2=True) as peer:
        assert (await peer.get("/")).text == f"{scheme} 2 None nobody"


async def test_a_server_that_is_not_trusted_is_left() -> None:
    context = ssl.create_default_context()
    async with client(handler, base_url=HERE, config=SERVED, context=context) as peer:
        with pytest.raises(httpx2.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await peer.get("/")


async def test_a_server_that_has_another_name_is_left() -> None:
    async with client(
        handler, base_url="https://shop.example", config=SERVED, context=trusting()
    ) as peer:
        with pytest.raises(httpx2.ConnectError, match="not valid for 'shop"):
            await peer.get("/")


async def test_plain_http_is_not_touched() -> None:
    async with client(
        handler, base_url="http://localhost", config=SERVED, context=trusting()
    ) as peer:
        assert (await peer.get("/")).text == "http 1.1 None nobody"


async def test_a_server_without_a_certificate_is_a_fault_of_the_test() -> None:
    with pytest.raises(SetupError, match=r"config=Config\(tls=TLS"):
        async with client(handler, context=trusting()):
            pass


async def test_a_raw_peer_shakes_hands_by_itself() -> None:
    async with (
        client(handler, base_url=HERE, config=SERVED, context=trusting()) as peer,
        peer.connect() as raw,
    ):
        response = await raw.request("GET", "/")
        assert await response.body() == b"https 1.1 localhost nobody"
        await raw.send_eof()
        assert await raw.receive_rest() == b""


async def test_a_raw_peer_may_wait_first_and_is_aborted_with_the_others() -> None:
    async with (
        client(handler, base_url=HERE, config=SERVED, context=trusting()) as peer,
        peer.connect() as raw,
        trio.open_nursery() as waiting,
    ):

        async def wait() -> None:
            with pytest.raises(trio.ClosedResourceError):
                await raw.receive()

        waiting.start_soon(wait)
        await trio.testing.wait_all_tasks_blocked()
        peer.abort()


async def test_a_cut_answer_does_not_look_complete(autojump_clock: object) -> None:
    """Without a length, only a goodbye says that it was all."""

    async def cut(request: Request) -> Response:
        async def write(send: Send) -> None:
            await send(b"half")
            raise ValueError("on purpose")

        return Response(200, body=write)

    async with (
        client(cut, base_url=HERE, config=SERVED, context=trusting()) as peer,
        peer.connect() as raw,
    ):
        await raw.send(b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n")
        with pytest.raises(trio.BrokenResourceError):
            await raw.receive_rest()
