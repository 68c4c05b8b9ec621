"""A WebSocket from its acceptance to its end: who says what, and becomes what."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

import pytest
import trio
import trio.testing
from trio_websocket import ConnectionClosed, WebSocketConnection

from tests.app.websocket.frames import PING, TEXT, close, frame, framing
from tests.app.websocket.stopping import stoppable
from trioweb import App, NotFound, PeerGone, Request, messages, sessions
from trioweb.message.exchange import Ending, Exchanged, OnDisconnect
from trioweb.message.handler import Handler as AnyHandler
from trioweb.message.response import Response
from trioweb.testing import WebSocketClosed, WebSocketPeer, client
from trioweb.testing.httpx_client import Client

Handler = Callable[[Request, WebSocketConnection], Awaitable[None]]


def app_of(handler: Handler, on_disconnect: OnDisconnect = "cancel") -> App:
    app = App()
    app.websocket("/", on_disconnect=on_disconnect)(handler)
    return app


async def echo(request: Request, ws: WebSocketConnection) -> None:
    async for message in messages(ws):
        await ws.send_message(message)


async def forever(request: Request, ws: WebSocketConnection) -> None:
    await trio.sleep_forever()


async def test_text_and_bytes_come_back_as_they_are() -> None:
    async with client(app_of(echo)) as peer, peer.websocket("/") as ws:
        for message in ("", "hé", b"", b"\0\xff", "a" * 1_000_000, b"b" * (1 << 20)):
            await ws.send(message)
            assert await ws.receive() == message


async def test_frames_that_come_with_the_handshake_are_heard() -> None:
    async with client(app_of(echo)) as peer, peer.connect() as raw:
        await raw.send(
            b"GET / HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\n"
            b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            + frame(TEXT, b"early")
        )
        assert (await raw.response()).status == 101
        assert await raw.receive() == b"\x81\x05early"


async def ended(handler: Handler) -> tuple[int, str]:
    """What the peer is told in the end."""
    async with client(app_of(handler)) as peer, peer.websocket("/") as ws:
        with pytest.raises(WebSocketClosed) as raised:
            await ws.receive()
        return raised.value.code, raised.value.reason


async def test_w11_a_handler_that_returns_has_said_goodbye() -> None:
    async def nothing(request: Request, ws: WebSocketConnection) -> None: ...

    assert await ended(nothing) == (1000, "")


async def test_w11_a_handler_may_say_its_own_goodbye() -> None:
    async def own(request: Request, ws: WebSocketConnection) -> None:
        await ws.aclose(4001, "enough")

    assert await ended(own) == (4001, "enough")


async def fail(request: Request, ws: WebSocketConnection) -> None:
    raise ValueError("planted")


async def fail_in_a_nursery(request: Request, ws: WebSocketConnection) -> None:
    async with trio.open_nursery() as tasks:
        tasks.start_soon(fail, request, ws)


async def refuse(request: Request, ws: WebSocketConnection) -> None:
    raise NotFound("too late for that")


@pytest.mark.parametrize("handler", [fail, fail_in_a_nursery, refuse])
async def test_w11_a_handler_that_fails_is_1011_and_logged_once(
    handler: Handler, caplog: pytest.LogCaptureFixture
) -> None:
    assert await ended(handler) == (1011, "")
    assert [record.getMessage() for record in caplog.records] == ["GET '/' failed"]


async def lose(request: Request, ws: WebSocketConnection) -> None:
    raise PeerGone


async def lose_in_a_nursery(request: Request, ws: WebSocketConnection) -> None:
    async with trio.open_nursery() as tasks:
        tasks.start_soon(ws.get_message)
        tasks.start_soon(ws.get_message)


async def use_after(request: Request, ws: WebSocketConnection) -> None:
    await ws.aclose()
    await ws.send_message("anybody?")


@pytest.mark.parametrize(
    "handler", [echo, lose, lose_in_a_nursery, use_after, ConnectionClosed]
)
async def test_w13_that_the_websocket_is_closed_is_no_failure(
    handler: object, caplog: pytest.LogCaptureFixture
) -> None:
    async def call(request: Request, ws: WebSocketConnection) -> None:
        if handler is ConnectionClosed:
            raise ConnectionClosed(None)
        assert callable(handler)
        await handler(request, ws)

    async with client(app_of(call)) as peer, peer.websocket("/") as ws:
        await ws.close(1000)
    assert caplog.records == []


async def test_the_handler_sees_why_it_was_closed() -> None:
    seen: list[object] = []

    async def see(request: Request, ws: WebSocketConnection) -> None:
        async for _ in messages(ws):
            pass
        assert ws.closed is not None
        seen.append((ws.closed.code, ws.closed.reason))

    async with client(app_of(see)) as peer, peer.websocket("/") as ws:
        await ws.close(4000, "bye")
    assert ws.closed is not None
    assert seen == [(ws.closed.code, ws.closed.reason)] == [(4000, "bye")]


class Stay:
    """A handler that does not look at its WebSocket, and notes when it ends."""

    def __init__(self, seconds: float = 1000) -> None:
        self._seconds = seconds
        self.begun, self.over = trio.Event(), trio.Event()
        self.ended_at = 0.0
        self.finished = False

    async def __call__(self, request: Request, ws: WebSocketConnection) -> None:
        self.begun.set()
        try:
            await trio.sleep(self._seconds)
            self.finished = True
        finally:
            self.ended_at = trio.current_time()
            self.over.set()


async def leave_by_close(ws: WebSocketPeer, peer: Client) -> None:
    await ws.close()


async def leave_by_reset(ws: WebSocketPeer, peer: Client) -> None:
    ws.abort()


Leave = Callable[[WebSocketPeer, Client], Awaitable[None]]


@pytest.mark.parametrize(("leave", "grace"), [(leave_by_close, 5), (leave_by_reset, 0)])
async def test_a_handler_is_cancelled_when_its_peer_has_gone(
    leave: Leave, grace: float, autojump_clock: trio.testing.MockClock
) -> None:
    stay = Stay()
    async with client(app_of(stay)) as peer, peer.websocket("/") as ws:
        await stay.begun.wait()
        gone_at = trio.current_time()
        await leave(ws, peer)
        await stay.over.wait()
        assert stay.ended_at - gone_at == grace
    assert not stay.finished


async def test_a_handler_is_cancelled_when_its_peer_has_finished_without_a_word(
    autojump_clock: trio.testing.MockClock,
) -> None:
    stay = Stay()
    async with client(app_of(stay)) as peer, framing(peer, "/") as ws:
        await stay.begun.wait()
        await ws.peer.send_eof()
        await stay.over.wait()
        assert trio.current_time() == 5


@pytest.mark.parametrize("leave", [leave_by_close, leave_by_reset])
async def test_on_disconnect_finish_lets_it_go_on(
    leave: Leave, autojump_clock: trio.testing.MockClock
) -> None:
    stay = Stay(100)
    async with client(app_of(stay, "finish")) as peer:
        async with peer.websocket("/") as ws:
            await stay.begun.wait()
            await leave(ws, peer)
        await stay.over.wait()
    assert stay.finished
    assert stay.ended_at == 100


async def test_a_request_finishes_what_it_has_begun(
    autojump_clock: trio.testing.MockClock,
) -> None:
    finished = trio.Event()

    async def commit(request: Request, ws: WebSocketConnection) -> None:
        try:
            await trio.sleep_forever()
        finally:
            with request.finish(3):
                await trio.sleep(2)
                finished.set()

    async with client(app_of(commit)) as peer, peer.websocket("/") as ws:
        await trio.testing.wait_all_tasks_blocked()
        ws.abort()
        await finished.wait()
        assert trio.current_time() == 2


async def test_a_routes_timeout_is_for_the_handshake_alone(
    autojump_clock: trio.testing.MockClock,
) -> None:
    app = App()

    @app.websocket("/", timeout=2)
    async def talk(request: Request, ws: WebSocketConnection) -> None:
        await trio.sleep(1000)
        await ws.send_message("still here")

    async with client(app) as peer, peer.websocket("/") as ws:
        assert await ws.receive() == "still here"


async def test_messages_that_are_left_in_the_middle_lose_none() -> None:
    async def pick(request: Request, ws: WebSocketConnection) -> None:
        async for message in messages(ws):
            if message == "b":
                break
        await ws.send_message(await ws.get_message())

    async with client(app_of(pick)) as peer, peer.websocket("/") as ws:
        for message in "abc":
            await ws.send(message)
        assert await ws.receive() == "c"


async def test_a_ping_is_answered_and_so_is_ours() -> None:
    answered: list[bytes] = []

    async def ask(request: Request, ws: WebSocketConnection) -> None:
        await ws.ping(b"are you there")
        answered.append(b"yes")
        await ws.get_message()

    async with client(app_of(ask)) as peer, peer.websocket("/") as ws:
        await ws.ping(b"hello")
        await ws.send("done")
    assert answered == [b"yes"]


async def test_a_ping_on_its_way_when_we_close_is_no_fault(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def leave(request: Request, ws: WebSocketConnection) -> None:
        await ws.aclose(4000)

    async with client(app_of(leave)) as peer, framing(peer, "/") as ws:
        assert await ws.receive() == (0x88, b"\x0f\xa0")
        await ws.send(frame(PING) * 3 + frame(TEXT, b"more") + close(4000))
        assert await ws.receive() is None
    assert caplog.records == []


async def test_a_message_that_was_cut_off_is_the_last(
    autojump_clock: trio.testing.MockClock,
) -> None:
    said: list[type[Exception]] = []

    async def hasty(request: Request, ws: WebSocketConnection) -> None:
        with trio.move_on_after(1):
            await ws.send_message("a" * 200_000)
        try:
            await ws.send_message("b")
        except ConnectionClosed as error:
            said.append(type(error))

    async with client(app_of(hasty)) as peer, framing(peer, "/") as ws:
        await trio.sleep(5)
        with pytest.raises((AssertionError, trio.BrokenResourceError)):
            await ws.receive()
    assert said == [ConnectionClosed]


# What is kept of it.


async def records(handler: Handler, leave: Leave) -> list[Exchanged]:
    async with stoppable(app_of(handler)) as service:
        async with service.peer.websocket("/") as ws:
            await ws.send("hello")
            await ws.receive()
            await leave(ws, service.peer)
        await service.stop()
    return service.kept


async def test_an_exchange_is_recorded_with_its_bytes() -> None:
    [kept] = await records(echo, leave_by_close)
    assert (kept.method, kept.route, kept.status) == ("GET", "/", 101)
    assert kept.ending is Ending.COMPLETE
    # A message of 5 bytes and a Close with a code, masked; and without a mask.
    assert kept.received == (6 + 5) + (6 + 2)
    assert kept.sent > (2 + 5) + (2 + 2)


async def test_a_peer_that_goes_without_a_word_is_recorded_so() -> None:
    [kept] = await records(echo, leave_by_reset)
    assert kept.ending is Ending.GONE


async def test_a_handler_that_fails_is_recorded_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fail_later(request: Request, ws: WebSocketConnection) -> None:
        await ws.send_message(await ws.get_message())
        raise ValueError("planted")

    [kept] = await records(fail_later, leave_by_close)
    assert kept.ending is Ending.FAILED
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


# Sessions.


async def test_a_session_is_read_and_can_be_saved_only_explicitly(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = App()
    app.use(sessions())

    @app.post("/")
    async def begin(request: Request) -> None:
        request.session["name"] = "Ada"

    @app.get("/")
    async def name(request: Request) -> str:
        return str(request.session["name"])

    @app.websocket("/")
    async def talk(request: Request, ws: WebSocketConnection) -> None:
        await ws.send_message(request.session["name"])
        await request.session.save({"name": await ws.get_message()})
        request.session["name"] = "lost"

    async with client(app) as peer:
        await peer.post("/")
        async with peer.websocket("/") as ws:
            assert await ws.receive() == "Ada"
            await ws.send("Grace")
            with pytest.raises(WebSocketClosed, match="1011"):
                await ws.receive()
        assert (await peer.get("/")).text == "Grace"
    assert "await request.session.save" in str(caplog.records[0].exc_info)


# The stop.


async def test_w11_a_stop_is_told_to_everybody(
    autojump_clock: trio.testing.MockClock,
) -> None:
    told: list[int] = []

    async def listen(
        peer: Client, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        async with peer.websocket("/") as ws:
            task_status.started()
            with pytest.raises(WebSocketClosed) as raised:
                await ws.receive()
            told.append(raised.value.code)

    async with stoppable(app_of(echo)) as service, trio.open_nursery() as peers:
        for _ in range(100):
            await peers.start(listen, service.peer)
        assert await service.stop() == 0
    assert told == [1001] * 100


async def test_w11_who_does_not_hear_it_holds_no_stop(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with stoppable(app_of(echo)) as service, framing(service.peer, "/") as ws:
        assert 5 <= await service.stop() <= 8
        assert await ws.closing() == 1001
    assert [kept.ending for kept in service.kept] == [Ending.COMPLETE]


async def test_w11_a_handler_that_does_not_listen_holds_no_stop(
    autojump_clock: trio.testing.MockClock,
) -> None:
    app = app_of(forever)
    async with stoppable(app) as service, service.peer.websocket("/") as ws:
        assert 5 <= await service.stop() <= 8
    assert ws.closed is not None
    assert ws.closed.code == 1001


async def test_a_handler_may_wait_for_the_stop_itself(
    autojump_clock: trio.testing.MockClock,
) -> None:
    drained: list[float] = []

    async def wait(request: Request, ws: WebSocketConnection) -> None:
        await request.draining.wait()
        drained.append(trio.current_time())

    async with stoppable(app_of(wait)) as service, service.peer.websocket("/"):
        await trio.sleep(100)
        await service.stop()
    assert drained == [100]


async def test_a_websocket_that_comes_when_the_server_stops_is_told_so(
    autojump_clock: trio.testing.MockClock,
) -> None:
    app = App()

    async def late(request: Request, handler: AnyHandler) -> Response:
        await trio.sleep(2)
        return await handler(request)

    app.websocket("/", layers=[late])(echo)
    async with stoppable(app) as service, trio.open_nursery() as stopping:
        stopping.start_soon(service.stop)
        async with service.peer.websocket("/") as ws:
            with pytest.raises(WebSocketClosed, match="1001"):
                await ws.receive()
