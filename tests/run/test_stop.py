"""A stop under load: whoever's request was read gets its whole answer."""

from __future__ import annotations

from dataclasses import dataclass

import trio

from tests.clients.process import by_python, serving

PATH = "tests/apps/probe.py"
CONNECTIONS = 64

# The handler is still at work when the signal comes, so that a stop which cut what was
# read would be seen to.
REQUEST = b"GET /sleep/0.05 HTTP/1.1\r\nHost: x\r\n\r\n"
BODY = b"Hello from trioweb probe"


@dataclass
class Count:
    """What one connection has seen."""

    enough: trio.Event  # set when a connection has been answered three times
    answered: int = 0
    # The server closed before a byte of the next answer came: it may not have read
    # the request, and with keep-alive nobody can know.
    unread: int = 0
    cut: int = 0  # it closed within an answer
    closing: bool = False  # the last answer said that it was the last


async def test_sigterm_under_load_cuts_nothing_that_was_read() -> None:
    """64 keep-alive connections that retry nothing; every answer announces the last."""
    enough = trio.Event()
    counts = [Count(enough) for _ in range(CONNECTIONS)]
    async with serving(by_python(PATH)) as server:
        host, _, port = server.url.removeprefix("http://").rpartition(":")
        with trio.fail_after(30):
            async with trio.open_nursery() as clients:
                for count in counts:
                    clients.start_soon(ask_on, host, int(port), count)
                await enough.wait()
                assert await server.stop() == 0
        assert b"Traceback" not in server.said
    assert all(count.answered for count in counts)
    assert sum(count.cut for count in counts) == 0
    # As each connection was busy, each was told on its last answer, and none of them
    # sent a request into the void.
    assert sum(count.unread for count in counts) == 0
    assert all(count.closing for count in counts)


async def ask_on(host: str, port: int, count: Count) -> None:
    """Ask again and again on one connection until the server closes it."""
    async with await trio.open_tcp_stream(host, port) as stream:
        while not count.closing:
            await stream.send_all(REQUEST)
            received = await answer(stream)
            if not received:
                count.unread += 1
                return
            head, _, body = received.partition(b"\r\n\r\n")
            if body != BODY or not head.startswith(b"HTTP/1.1 200 "):
                count.cut += 1
                return
            count.answered += 1
            if count.answered == 3:
                count.enough.set()
            count.closing = b"connection: close" in head.lower()
        assert await stream.receive_some() == b""


async def answer(stream: trio.SocketStream) -> bytes:
    """A whole answer, or what came of it before the end."""
    received = b""
    while len(received.partition(b"\r\n\r\n")[2]) < len(BODY):
        try:
            piece = await stream.receive_some()
        except trio.BrokenResourceError:
            piece = b""
        if not piece:
            break
        received += piece
    return received


async def test_a_request_on_its_way_to_an_idle_connection_is_answered() -> None:
    """Idle connections linger for one more request, which is told it is the last."""
    async with serving(by_python(PATH)) as server:
        host, _, port = server.url.removeprefix("http://").rpartition(":")
        async with await trio.open_tcp_stream(host, int(port)) as stream:
            await stream.send_all(REQUEST)
            assert (await answer(stream)).endswith(BODY)
            server.process.terminate()
            # Listening has ended when nobody can connect any more.
            await until_refused(host, int(port))
            await stream.send_all(REQUEST)
            last = await answer(stream)
            assert last.endswith(BODY)
            assert b"connection: close" in last.lower()
            assert await stream.receive_some() == b""
        with trio.fail_after(10):
            assert await server.process.wait() == 0


async def until_refused(host: str, port: int) -> None:
    """Connect again and again, until nobody listens."""
    while True:
        try:
            stream = await trio.open_tcp_stream(host, port)
        except OSError:
            return
        await stream.aclose()
