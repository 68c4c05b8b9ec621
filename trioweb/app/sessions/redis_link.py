"""Link: one connection to a Redis server, by coredis, for one question at a time."""

from __future__ import annotations

import anyio
import trio
from anyio.abc import ByteStream
from coredis.connection import BaseConnection, TCPLocation, UnixDomainSocketLocation
from coredis.exceptions import ConnectionError as NoConnection
from coredis.exceptions import RedisError, ResponseError
from coredis.typing import RedisValueT

from trioweb.app.sessions.redis_address import Address

# Bytes of one reply.  A session of 16 KiB that is all names of two letters takes 90 of
# them; what is longer is none of ours, and must not fill our memory.
REPLY_LIMIT = 128 * 1024


class Link(BaseConnection):
    """One connection, for one question at a time.

    It lives while `live` does.  Whoever breaks off a question (by an error, by a
    cancellation) breaks the connection: its reply would be taken for the next one's.

    *stream* is connected, for what coredis opens for a connection that does not come
    about is never closed.
    """

    def __init__(self, address: Address, stream: trio.abc.Stream) -> None:
        super().__init__(
            UnixDomainSocketLocation(address.path)
            if address.path
            else TCPLocation(address.host, address.port),
            username=address.user,
            password=address.password,
            db=address.database,
        )
        self._counted = Counted(stream)
        self._greeting = _Greeting()

    async def live(self) -> None:
        """Be connected until the connection ends, for whatever reason."""
        try:
            await self.run(task_status=self._greeting)
        except RedisError as error:
            self._greeting.fault = error
        finally:
            self._greeting.over.set()

    async def greeted(self) -> None:
        """Wait until the server has let us in; RedisError where it does not.

        Cancelling it ends the connection.
        """
        try:
            await self._greeting.over.wait()
        finally:
            if not self._greeting.over.is_set():
                self._counted.break_off()
        if self._greeting.fault is not None:
            raise self._greeting.fault

    async def ask(self, command: bytes, *words: RedisValueT) -> object:
        """The reply to a command.

        ResponseError is a reply, too; NoConnection is none, and the end of the link.
        """
        self._counted.allowed = REPLY_LIMIT
        # What ends a connection is any error at all, of coredis's reading, too; it is
        # handed over, for otherwise it would be raised here as it is.
        reply: object = await self.create_request(
            command, *words, raise_exceptions=False, disconnect_on_cancellation=True
        )
        self._counted.allowed = 0
        if isinstance(reply, ResponseError):
            raise reply
        if isinstance(reply, BaseException):
            raise NoConnection(str(reply)) from reply
        return reply

    def describe(self) -> str:
        """Where it leads."""
        return str(self.location)

    async def _connect(self) -> ByteStream:
        return self._counted


class _Greeting:
    """What coredis calls when the server has let us in, and what came of it."""

    def __init__(self) -> None:
        self.over = trio.Event()
        self.fault: RedisError | None = None

    def started(self, value: object = None) -> None:
        """Note that it has."""
        self.over.set()


class Counted(ByteStream):
    """A stream that takes no more bytes than it is *allowed*.

    None while nobody has asked anything: what comes then is a reply too many.
    """

    def __init__(self, stream: trio.abc.Stream) -> None:
        self.allowed = REPLY_LIMIT  # the greeting
        self._stream = stream
        self._broken_off = False
        self._receiving = trio.CancelScope()

    def break_off(self) -> None:
        """Let whoever receives see a connection that is lost.

        coredis, cancelled in a greeting, writes pages of traceback into the log.
        """
        self._broken_off = True
        self._receiving.cancel(reason="nobody waits for the greeting any more")

    async def receive(self, max_bytes: int = 65536) -> bytes:
        """The next bytes, as anyio has it."""
        piece: bytes | bytearray = b""
        with trio.CancelScope() as self._receiving:
            try:
                piece = await self._stream.receive_some(max_bytes)
            except trio.BrokenResourceError as error:
                raise anyio.BrokenResourceError from error
        if not piece or self._broken_off:
            raise NoConnection("the connection was lost")
        self.allowed -= len(piece)
        if self.allowed < 0:
            raise NoConnection("more has come than was asked for")
        return bytes(piece)

    async def send(self, item: bytes) -> None:
        """Send *item*, as anyio has it."""
        try:
            await self._stream.send_all(item)
        except trio.BrokenResourceError as error:
            raise anyio.BrokenResourceError from error

    async def send_eof(self) -> None:
        """Nothing: we never stop asking before we close."""

    async def aclose(self) -> None:
        """Close it."""
        await self._stream.aclose()


async def dial(address: Address) -> trio.abc.Stream:
    """A stream to *address*; OSError where nobody answers."""
    if address.path:
        return await trio.open_unix_socket(address.path)
    stream = await trio.open_tcp_stream(address.host, address.port)
    if address.tls is None:
        return stream
    # Redis ends without the closing words of TLS.
    tls = trio.SSLStream(
        stream, address.tls, server_hostname=address.host, https_compatible=True
    )
    known = False
    try:
        await tls.do_handshake()
        known = True
    except trio.BrokenResourceError as error:
        raise OSError(f"no TLS: {error.__cause__}") from error.__cause__
    finally:
        if not known:
            await trio.aclose_forcefully(tls)
    return tls
