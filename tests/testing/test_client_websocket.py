"""client.websocket: the other side of a WebSocket, in memory."""

from __future__ import annotations

import pytest
import trio
import trio.testing
from trio_websocket import WebSocketConnection

from trioweb import App, Request, Response, messages, sessions
from trioweb.message.errors import TriowebError
from trioweb.testing import WebSocketClosed, WebSocketRefused, client


def make() -> App:
    app = App()
    app.use(sessions())

    @app.post("/login")
    async def login(request: Request) -> None:
        request.session["name"] = "Ada"

    @app.websocket("/echo/{name}", subprotocols=["b"])
    async def echo(request: Request, ws: WebSocketConnection, name: str) -> None:
        async for message in messages(ws):
            await ws.send_message(message)

    @app.websocket("/who")
    async def who(request: Request, ws: WebSocketConnection) -> None:
        await ws.send_message(str(request.session.get("name")))
        await ws.send_message(f"{request.url} {request.headers.get('x-test')}")
        await ws.aclose(4000, "that is all")

    @app.websocket("/ping")
    async def ping(request: Request, ws: WebSocketConnection) -> None:
        await ws.ping(b"hello")
        await ws.send_message("answered")

    @app.websocket("/fail")
    async def fail(request: Request, ws: WebSocketConnection) -> None:
        await trio.sleep_forever()

    @app.get("/page")
    async def page(request: Request) -> str:
        return "page"

    return app


async def test_messages_come_and_go() -> None:
    async with client(make()) as peer:
        async with peer.websocket("/echo/a%20b?x=1", subprotocols=["a", "b"]) as ws:
            assert ws.subprotocol == ws.headers["sec-websocket-protocol"] == "b"
            for message in ("hello", b"\0\xff", "", b"", "물" * 100_000):
                await ws.send(message)
                assert await ws.receive() == message
            await ws.ping(b"there?")
            assert ws.closed is None
        assert ws.closed is not None
        assert (ws.closed.code, ws.closed.reason) == (1000, "")


async def test_it_has_what_the_client_has() -> None:
    async with client(make(), headers={"x-test": "yes"}) as peer:
        await peer.post("/login")
        async with peer.websocket("/who") as ws:
            assert [message async for message in ws] == [
                "Ada",
                "http://test/who yes",
            ]
            with pytest.raises(WebSocketClosed) as raised:
                await ws.receive()
            assert (raised.value.code, raised.value.reason) == (4000, "that is all")
            with pytest.raises(WebSocketClosed):
                await ws.send("more")
            with pytest.raises(WebSocketClosed):
                await ws.ping()
            await ws.close()


async def test_headers_may_be_its_own_and_secure_is_secure() -> None:
    async with client(make(), base_url="https://shop.example") as peer:
        fields = {"x-test": "own", "origin": "https://shop.example"}
        async with peer.websocket("/who", headers=fields) as ws:
            assert [message async for message in ws][1] == (
                "https://shop.example/who own"
            )


async def test_another_answer_is_a_refusal() -> None:
    async with client(make()) as peer:
        with pytest.raises(WebSocketRefused) as raised:
            async with peer.websocket("/page"):
                pass
        refusal = raised.value
        assert (refusal.status, refusal.body) == (200, b"page")
        assert refusal.headers["content-type"].startswith("text/plain")


async def test_a_server_that_answers_another_handshake_is_not_ours() -> None:
    async def wrong(request: Request) -> Response:
        async def talk(stream: trio.abc.Stream) -> None: ...

        return Response(headers={"sec-websocket-accept": "wrong"}, tunnel=talk)

    async with client(wrong) as peer:
        with pytest.raises(TriowebError, match="another handshake"):
            async with peer.websocket("/"):
                pass


async def test_pings_of_the_server_are_answered() -> None:
    async with client(make()) as peer, peer.websocket("/ping") as ws:
        assert await ws.receive() == "answered"


async def test_a_block_that_fails_ends_the_connection(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with client(make()) as peer:
        with pytest.raises(ValueError, match="its own"):
            async with peer.websocket("/fail"):
                raise ValueError("its own")


async def test_a_reset_is_an_end_without_a_word(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with client(make()) as peer, peer.websocket("/fail") as ws:
        ws.abort()
        with pytest.raises(WebSocketClosed) as raised:
            await ws.receive()
        assert raised.value.code == 1006
        await ws.close()
        assert ws.closed is not None
        assert ws.closed.code == 1006


async def test_a_server_that_resets_is_heard_by_who_waits(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with (
        client(make()) as peer,
        peer.websocket("/fail") as ws,
        trio.open_nursery() as waiting,
    ):
        waiting.start_soon(ws.ping)
        await trio.testing.wait_all_tasks_blocked()
        peer.abort()


async def test_hours_pass_in_no_time(autojump_clock: trio.testing.MockClock) -> None:
    async with client(make()) as peer, peer.websocket("/echo/a") as ws:
        await trio.sleep(24 * 3600)
        await ws.send("still there")
        assert await ws.receive() == "still there"
