"""A redis-server for tests, a proxy in front of it that fails as asked, and a liar."""

from __future__ import annotations

import signal
import socket
import subprocess
import tempfile
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trio
import trio.testing
from coredis.parser import NotEnoughData, Parser

from tests.needs import program
from trioweb.app.sessions import redis_pool
from trioweb.app.sessions.redis import RedisStore

# A certificate for localhost and its key, which are nobody's.
TLS = Path(__file__).parent / "tls"

# Seconds.  A server that does not listen by then never will.
START = 20


class RedisServer:
    """A redis-server of its own on a Unix socket; it keeps nothing on disk."""

    def __init__(self, directory: Path, *options: str) -> None:
        self.path = directory / "redis"
        self.url = f"unix://{self.path}"
        self.password = ""  # by which `call` is let in
        self._directory = directory
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        settings = ["--port", "0", "--unixsocket", self.path, "--dir", self._directory]
        unkept = ["--save", "", "--appendonly", "no", "--daemonize", "no"]
        command = [program("redis-server"), *settings, *unkept, *self._options]
        self._process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        until = time.monotonic() + START
        while not self._answers():
            assert self._process.poll() is None, "redis-server has ended"
            assert time.monotonic() < until, "redis-server does not answer"
            time.sleep(0.01)

    def stop(self) -> None:
        """End it at once, as a crash does."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self.path.unlink(missing_ok=True)

    def pause(self) -> None:
        """Let it hear and say nothing any more, with its connections open."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def call(self, *words: str | bytes | int) -> object:
        """What it says to a command: bytes, int, list, None or an error."""
        with socket.socket(socket.AF_UNIX) as asking:
            asking.settimeout(START)
            asking.connect(str(self.path))
            parser = Parser()
            if self.password:
                asking.sendall(packed("AUTH", self.password))
                _heard(asking, parser)
            asking.sendall(packed(*words))
            return _heard(asking, parser)

    def _answers(self) -> bool:
        try:
            return not isinstance(self.call("ECHO", "up"), int)
        except OSError:
            return False


def _heard(asking: socket.socket, parser: Parser) -> object:
    while isinstance(answer := parser.parse(), NotEnoughData):
        data = asking.recv(65536)
        assert data, "redis-server has closed"
        parser.feed(data)
    return answer[1]


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """One server for every test that leaves it alone; each has keys of its own."""
    with tempfile.TemporaryDirectory() as directory:
        server = RedisServer(Path(directory))
        server.start()
        yield server
        server.stop()


@pytest.fixture
def redis_prefix(request: pytest.FixtureRequest) -> str:
    """What the keys of this test, and of no other, begin with."""
    return f"t{zlib.crc32(request.node.nodeid.encode())}"


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let stores wait as long as a busy machine takes: time is not what is tested."""
    monkeypatch.setattr(redis_pool, "PATIENCE", START)
    monkeypatch.setattr(RedisStore, "limit", START)


@pytest.fixture
def own_redis() -> Iterator[Callable[..., RedisServer]]:
    """Servers that a test may stop and pause: ``own_redis("--option", "value")``."""
    with tempfile.TemporaryDirectory() as directory:
        started: list[RedisServer] = []

        def start(*options: str) -> RedisServer:
            place = Path(directory, str(len(started)))
            place.mkdir()
            server = RedisServer(place, *options)
            server.start()
            started.append(server)
            return server

        yield start
        for server in started:
            server.resume()
            server.stop()


def packed(*words: str | bytes | int) -> bytes:
    """A command as it is sent."""
    encoded = [w if isinstance(w, bytes) else str(w).encode() for w in words]
    pieces = [b"$%d\r\n%b\r\n" % (len(word), word) for word in encoded]
    return b"*%d\r\n%b" % (len(encoded), b"".join(pieces))


@dataclass
class Proxy:
    """A way to a server that fails as it is told.

    *cut* is how many bytes of replies still pass before the connection is reset,
    *delay* how many seconds each piece of a reply takes; *slowly* lets replies pass
    byte by byte.  *opened* counts the connections, *open* those there are, *passed*
    the bytes.
    """

    server: RedisServer
    url: str = ""
    cut: int | None = None
    delay: float = 0
    slowly: bool = False
    opened: int = 0
    passed: int = 0
    open: set[trio.SocketStream] = field(default_factory=set)
    _closed: trio.lowlevel.ParkingLot = field(default_factory=trio.lowlevel.ParkingLot)

    async def disconnect(self) -> None:
        """Close every connection that is open, and let the other side see it."""
        for stream in list(self.open):
            await trio.aclose_forcefully(stream)
        await self.left(0)
        await trio.testing.wait_all_tasks_blocked(0.001)

    async def left(self, number: int) -> None:
        """Wait until no more than *number* connections are open."""
        with trio.fail_after(START):
            while len(self.open) > number:
                await self._closed.park()

    async def lead(self, near: trio.SocketStream) -> None:
        """Carry what one connection says both ways."""
        self.opened += 1
        self.open.add(near)
        try:
            async with (
                near,
                await trio.open_unix_socket(self.server.path) as far,
                trio.open_nursery() as both,
            ):
                both.start_soon(self._there, near, far, both.cancel_scope)
                await self._back(far, near)
                both.cancel_scope.cancel(reason="the server has closed")
        except* (OSError, trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        finally:
            self.open.discard(near)
            self._closed.unpark_all()

    async def _there(
        self, near: trio.SocketStream, far: trio.SocketStream, both: trio.CancelScope
    ) -> None:
        async for piece in near:
            await far.send_all(piece)
        both.cancel(reason="the store has closed")

    async def _back(self, far: trio.SocketStream, near: trio.SocketStream) -> None:
        async for piece in far:
            await trio.sleep(self.delay)
            if self.slowly:
                for number in range(len(piece)):
                    await near.send_all(piece[number : number + 1])
                    await trio.lowlevel.checkpoint()
            elif self.cut is None:
                await near.send_all(piece)
            else:
                part = piece[: self.cut]
                # Before the wait, in which a test may say something else.
                self.cut -= len(part)
                last = self.cut == 0
                await near.send_all(part)
                if last:
                    reset(near)
                    return
            self.passed += len(piece)


def reset(stream: trio.SocketStream) -> None:
    """Let the connection end with a reset (RST) when it is closed."""
    stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


@asynccontextmanager
async def proxied(server: RedisServer) -> AsyncIterator[Proxy]:
    """A proxy in front of *server* while the block runs."""
    proxy = Proxy(server)
    async with listening(proxy.lead) as proxy.url:
        yield proxy


@asynccontextmanager
async def listening(
    handler: Callable[[trio.SocketStream], Awaitable[object]],
) -> AsyncIterator[str]:
    """A Redis URL at which *handler* gets the connections while the block runs."""
    async with trio.open_nursery() as serving:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        await serving.start(trio.serve_listeners, handler, [listener])
        yield f"redis://127.0.0.1:{listener.socket.getsockname()[1]}"
        serving.cancel_scope.cancel(reason="the block has ended")


# What a server says to HELLO.
GREETING = b"%3\r\n+version\r\n+7.0.0\r\n+proto\r\n:3\r\n+id\r\n:1\r\n"


def token(question: bytes) -> bytes:
    """The token of an EVALSHA: its first argument after the keys."""
    words = question.split(b"\r\n")[2::2]
    return words[3 + int(words[2])]


@asynccontextmanager
async def liar(answer: Callable[[bytes], bytes]) -> AsyncIterator[str]:
    """A URL at which all is well, but each script returns what *answer* makes.

    *answer* is given the token of the question.
    """

    async def lie(stream: trio.SocketStream) -> None:
        heard = b""
        # The store closes while it is lied to.
        with suppress(trio.BrokenResourceError):
            async for piece in stream:
                heard += piece
                if heard.endswith(b"HELLO\r\n$1\r\n3\r\n"):
                    await stream.send_all(GREETING)
                else:
                    await stream.send_all(answer(token(heard)))
                heard = b""
        await stream.aclose()

    async with listening(lie) as url:
        yield url
