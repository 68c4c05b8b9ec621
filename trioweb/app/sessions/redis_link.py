"""Link: one connection to a Redis server, by coredis, for one question at a time."""

from __future__ import annotations

import trio
from anyio import BrokenResourceError, EndOfStream
from anyio.abc import ByteStream
from coredis.connection import BaseConnection, Location
from coredis.exceptions import ConnectionError as NoConnection
from coredis.exceptions import ResponseError
from coredis.typing import RedisValueT

from trioweb.app.sessions.redis_address import Address

# Bytes of one reply.  A session of 16 KiB that is all names of two letters takes 90 of
# them; what is longer is none of ours, and must not fill our memory.
REPLY_LIMIT = 128 * 1024


class Place(Location):
    """An Address, as coredis has them."""

    def __init__(self, address: Address) -> None:
        self.address = address

    async def check(self) -> bool:
        """Whether somebody listens there."""
        try:
            stream = await dial(self.address)
        except OSError:
            return False
        await stream.aclose()
        return True


class Link(BaseConnection):
    """One connection, for one question at a time.

    Whoever breaks off a question (an error, a cancellation) breaks the connection: its
    reply would be taken for the next one's.
    """

    location: Place

    def __init__(self, address: Address) -> None:
        super().__init__(
            Place(address),
            username=address.user,
            password=address.password,
            db=address.database,
        )
        self._counted: Counted | None = None

    async def ask(self, command: bytes, *words: RedisValueT) -> object:
        """The reply to a command.

        ResponseError is a reply, too; NoConnection is none, and the end of the link.
        """
        if self._counted is None:
            raise NoConnection("not connected")
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
        return str(self.location.address)

    async def _connect(self) -> ByteStream:
        self._counted = Counted(await dial(self.location.address))
        return self._counted


class Counted(ByteStream):
    """A stream that takes no more bytes than it is *allowed*.

    None while nobody has asked anything: what comes then is a reply too many.
    """

    def __init__(self, stream: trio.abc.Stream) -> None:
        self.allowed = REPLY_LIMIT  # the greeting
        self._stream = stream

    async def receive(self, max_bytes: int = 65536) -> bytes:
        """The next bytes, as anyio has it."""
        try:
            piece = await self._stream.receive_some(max_bytes)
        except trio.BrokenResourceError as error:
            raise BrokenResourceError from error
        if not piece:
            raise EndOfStream
        self.allowed -= len(piece)
        if self.allowed < 0:
            raise NoConnection("more has come than was asked for")
        return bytes(piece)

    async def send(self, item: bytes) -> None:
        """Send *item*, as anyio has it."""
        try:
            await self._stream.send_all(item)
        except trio.BrokenResourceError as error:
            raise BrokenResourceError from error

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
    try:
        await tls.do_handshake()
    except trio.BrokenResourceError as error:
        await trio.aclose_forcefully(tls)
        raise OSError(f"no TLS: {error.__cause__}") from error.__cause__
    return tls
