"""Proxies: who a request is from, as the wire tells handlers and the record (A7)."""

from __future__ import annotations

import pytest

from trioweb.message.exchange import Exchanged
from trioweb.message.request import Request
from trioweb.message.response import Response
from trioweb.message.transport import Peer
from trioweb.rules.forwarded import Proxies
from trioweb.testing.transport import memory_pair
from trioweb.wire.connection import serve
from trioweb.wire.service import Service

PROXY = Peer("10.0.0.1", 4711)
GET = (
    b"GET / HTTP/1.1\r\nHost: inner\r\n"
    b"X-Forwarded-For: 6.6.6.6, 1.2.3.4\r\nX-Forwarded-Proto: https\r\n"
    b"X-Forwarded-Host: shop.example\r\nX_Forwarded_For: 7.7.7.7\r\n\r\n"
)


async def seen(
    head: bytes, proxies: Proxies | None, *, peer: Peer = PROXY
) -> list[str]:
    """What a handler sees of who asked, and what is recorded of it."""
    records: list[Exchanged] = []

    async def handler(request: Request) -> Response:
        said = f"{request.peer} {request.url}"
        return Response(body=said.encode())

    ours, theirs = memory_pair(peer=peer)
    await ours.send_all(head)
    await ours.send_eof()
    service = Service(handler, record=records.append, proxies=proxies)
    async with service.running():
        await serve(theirs, service)
    answer = await ours.receive_some()
    return [answer.partition(b"\r\n\r\n")[2].decode(), str(records[0].peer)]


async def test_a7_a_trusted_proxy_speaks_for_its_peer() -> None:
    expected = ["1.2.3.4 https://shop.example/", "1.2.3.4"]
    assert await seen(GET, Proxies(["10.0.0.0/8"])) == expected


@pytest.mark.parametrize(
    "proxies", [None, Proxies([]), Proxies(["10.0.0.2"]), Proxies(["unix"])]
)
async def test_a7_what_anybody_else_writes_means_nothing(
    proxies: Proxies | None,
) -> None:
    expected = ["10.0.0.1:4711 http://inner/", "10.0.0.1:4711"]
    assert await seen(GET, proxies) == expected


async def test_a7_a_unix_socket_is_trusted_only_by_name() -> None:
    unix = Peer("unix")
    assert (await seen(GET, Proxies(["0.0.0.0/0", "::/0"]), peer=unix))[1] == "unix"
    assert (await seen(GET, Proxies(["unix"]), peer=unix))[1] == "1.2.3.4"


async def test_a_proxy_that_says_nothing_is_the_peer_itself() -> None:
    head = b"GET /a HTTP/1.1\r\nHost: inner\r\n\r\n"
    expected = ["10.0.0.1 http://inner/a", "10.0.0.1"]
    assert await seen(head, Proxies(["10.0.0.1"])) == expected


async def test_a_head_that_is_no_request_is_the_proxys_own() -> None:
    assert (await seen(b"GET\r\n\r\n", Proxies(["10.0.0.1"])))[1] == str(PROXY)
