"""The raw peer says what it is told, and takes responses for what they are."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from trioweb.testing import BadResponse, MemoryTransport, RawPeer, memory_pair

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


def connected() -> tuple[RawPeer, MemoryTransport]:
    ours, theirs = memory_pair()
    return RawPeer(ours), theirs


async def answered(answer: bytes) -> RawPeer:
    """A peer whose server has said *answer* and closed."""
    peer, server = connected()
    await server.send_all(answer)
    await server.send_eof()
    return peer


async def test_a_request_has_the_fields_it_needs() -> None:
    peer, server = connected()
    await server.send_all(OK)
    await peer.request("POST", "/x?y=1", headers={"X-Tag": "a"}, body=b"{}")
    assert await server.receive_some() == (
        b"POST /x?y=1 HTTP/1.1\r\nhost: test\r\nx-tag: a\r\ncontent-length: 2\r\n\r\n{}"
    )


async def test_a_request_without_a_body_has_no_length() -> None:
    peer, server = connected()
    await server.send_all(OK)
    await peer.request("GET", "/", headers={"Host": "example.org"})
    assert await server.receive_some() == b"GET / HTTP/1.1\r\nhost: example.org\r\n\r\n"


async def test_an_empty_put_says_that_it_is_empty() -> None:
    peer, server = connected()
    await server.send_all(OK)
    await peer.request("PUT", "/")
    assert b"\r\ncontent-length: 0\r\n" in await server.receive_some()


async def test_a_response_is_read_piece_by_piece() -> None:
    peer, server = connected()
    await server.send_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    response = await peer.request("GET", "/")
    assert (response.status, response.version) == (200, "1.1")
    assert response.headers["transfer-encoding"] == "chunked"
    await server.send_all(b"3\r\none\r\n")
    assert await anext(response) == b"one"
    await server.send_all(b"3\r\ntwo\r\n0\r\nX-Sum: 6\r\n\r\n")
    assert [piece async for piece in response] == [b"two"]
    assert response.trailers["x-sum"] == "6"
    assert await response.body() == b""


async def test_both_ways_at_once() -> None:
    peer, server = connected()
    await peer.begin("POST", "/echo")
    await peer.write(b"up")
    await server.send_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    await server.send_all(b"4\r\ndown\r\n")
    response = await peer.response()
    assert await anext(response) == b"down"
    await peer.write(b"again")
    await peer.end()
    await server.send_all(b"0\r\n\r\n")
    assert await response.body() == b""
    head, _, body = (await server.receive_some()).partition(b"\r\n\r\n")
    assert b"\r\ntransfer-encoding: chunked" in head
    assert body == b"2\r\nup\r\n5\r\nagain\r\n0\r\n\r\n"


async def test_a_known_length_is_kept() -> None:
    peer, server = connected()
    await peer.begin("POST", "/", headers={"Content-Length": "2"})
    await peer.write(b"up")
    await peer.end()
    request = await server.receive_some()
    assert b"transfer-encoding" not in request
    assert request.endswith(b"\r\n\r\nup")


async def test_what_was_not_begun_cannot_be_written() -> None:
    peer, _server = connected()
    with pytest.raises(RuntimeError, match="begin"):
        await peer.write(b"x")


async def test_pipelined_responses_come_in_order() -> None:
    peer, server = connected()
    await peer.begin("HEAD", "/", headers={"Content-Length": "0"})
    await peer.end()
    await peer.begin("GET", "/", headers={"Content-Length": "0"})
    await peer.end()
    await server.send_all(b"HTTP/1.1 204 No Content\r\nn: 1\r\n\r\n" + OK)
    first = await peer.response()
    assert (first.headers["n"], await first.body()) == ("1", b"")
    assert await (await peer.response()).body() == b"ok"


async def test_responses_to_raw_bytes_are_read_too() -> None:
    peer, server = connected()
    await peer.send(b"GET / HTTP/1.1\r\n\r\nHEAD / HTTP/1.1\r\n\r\n")
    await server.send_all(OK + OK[:-2] + OK)
    assert await (await peer.response()).body() == b"ok"
    assert await (await peer.response(to="HEAD")).body() == b""
    assert await (await peer.response()).body() == b"ok"


async def test_interim_responses_are_kept_beside_the_final_one() -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"
    peer = await answered(b"HTTP/1.1 100 Continue\r\n\r\n" + hints + OK)
    response = await peer.response()
    assert [interim.status for interim in response.interim] == [100, 103]
    assert response.interim[1].headers["link"] == "</a>"
    assert await response.body() == b"ok"


async def test_after_a_switch_the_bytes_belong_to_the_other_protocol() -> None:
    switch = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: echo\r\n\r\n"
    peer = await answered(switch + b"first words")
    response = await peer.response()
    assert (response.status, await response.body()) == (101, b"")
    assert await peer.receive(5) == b"first"
    assert await peer.receive_rest() == b" words"


CUT = [
    pytest.param(b"", "without a response", id="nothing"),
    pytest.param(b"HTTP/1.1 20", "closed connection", id="half a head"),
    pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n", "without a", id="only interim"),
    pytest.param(b"SSH-2.0-\r\n\r\n", "illegal", id="no HTTP"),
]


@pytest.mark.parametrize(("answer", "says"), CUT)
async def test_what_is_no_response_is_never_taken_for_one(
    answer: bytes, says: str
) -> None:
    peer = await answered(answer)
    with pytest.raises(BadResponse, match=says):
        await peer.response()


@pytest.mark.parametrize(
    "answer", [OK[:-1], b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok"]
)
async def test_a_cut_body_never_looks_complete(answer: bytes) -> None:
    peer = await answered(answer)
    response = await peer.response()
    with pytest.raises(BadResponse):
        await response.body()


async def test_giving_up_on_a_response_loses_nothing(
    autojump_clock: trio.testing.MockClock,
) -> None:
    peer, server = connected()
    await peer.begin("GET", "/", headers={"Content-Length": "0"})
    await peer.end()
    await server.send_all(OK[:20])
    with trio.move_on_after(5) as scope:
        await peer.response()
    assert scope.cancelled_caught
    await server.send_all(OK[20:])
    assert await (await peer.response()).body() == b"ok"


async def test_leaving_by_halves_by_a_close_and_by_a_reset() -> None:
    peer, server = connected()
    await peer.send_eof()
    assert await server.receive_some() == b""
    await server.send_all(OK)
    async with peer:
        assert await peer.receive() == OK
    with pytest.raises(trio.ClosedResourceError):
        await peer.receive()
    peer, server = connected()
    peer.abort()
    with pytest.raises(trio.BrokenResourceError):
        await server.receive_some()


async def test_a_reset_is_no_bad_response() -> None:
    peer, server = connected()
    server.abort()
    with pytest.raises(trio.BrokenResourceError):
        await peer.response()
