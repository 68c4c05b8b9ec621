"""A server of HTTPS in this process, and peers that shake hands with it."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import select
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import trio

from tests.clients.process import ROOT
from tests.run.crowds import PATIENCE, descriptors, tasks, until
from tests.wire.talking import logged
from trioweb import Config, open_server
from trioweb.app.app import Served
from trioweb.message.transport import Transport
from trioweb.run.connecting import connecting
from trioweb.run.tls.certificates import Certificates
from trioweb.run.tls.config import TLS
from trioweb.run.tls.streams import StreamTLS
from trioweb.testing.transport import memory_pair

FILES = ROOT / "tests/clients/tls"

# What carries the bytes: the hub, a socket without it, and memory.
CARRIERS = ("hub", "socket", "memory")


def pem(name: str) -> str:
    return str(FILES / name)


SERVER = TLS(pem("server.pem"), pem("server.key"))
CA = pem("ca.pem")


def trusting(ca: str = CA, *, alpn: tuple[str, ...] = ()) -> ssl.SSLContext:
    """The context of a peer that trusts our CA, and nobody else."""
    context = ssl.create_default_context(cafile=ca)
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF  # as newer Pythons have it
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context


Peer = trio.SSLStream[trio.abc.Stream]


def over(
    stream: trio.abc.Stream,
    context: ssl.SSLContext | None = None,
    name: str = "localhost",
) -> Peer:
    """The end of a peer that asks for *name*; it wants every end to be said."""
    return trio.SSLStream(
        stream, context or trusting(), server_hostname=name, https_compatible=False
    )


def hello(context: ssl.SSLContext | None = None) -> bytes:
    """How a peer begins."""
    outgoing = ssl.MemoryBIO()
    tls = (context or trusting()).wrap_bio(
        ssl.MemoryBIO(), outgoing, server_hostname="localhost"
    )
    with contextlib.suppress(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read()


def split(record: bytes, count: int) -> bytes:
    """What a *record* holds, in *count* of them: all but the last have 1 byte."""
    content = record[5:]
    parts = [content[at : at + 1] for at in range(count - 1)] + [content[count - 1 :]]
    return b"".join(record[:3] + len(each).to_bytes(2, "big") + each for each in parts)


@contextlib.asynccontextmanager
async def carried(
    carrier: str, tls: TLS = SERVER
) -> AsyncIterator[tuple[Transport, trio.abc.Stream]]:
    """Our end of a connection before its handshake, and the peer's bare stream."""
    certificates = Certificates(tls)
    if carrier == "memory":
        ours, theirs = memory_pair()
        yield StreamTLS(ours, certificates), theirs
        ours.abort()
        theirs.abort()
        return
    with pytest.MonkeyPatch.context() as patch:
        if carrier == "socket":
            patch.delattr(select, "epoll")
        async with connecting() as connect:
            with socket.create_server(("127.0.0.1", 0)) as listener:
                address = listener.getsockname()
                stream = await trio.open_tcp_stream(*address)
                transport = connect(*listener.accept(), certificates)
            try:
                yield transport, stream
            finally:
                transport.abort()
                await trio.aclose_forcefully(stream)


@contextlib.asynccontextmanager
async def met(carrier: str, tls: TLS = SERVER) -> AsyncIterator[tuple[Transport, Peer]]:
    """Both ends of a connection after its handshake."""
    async with carried(carrier, tls) as (transport, stream):
        peer = over(stream)
        with trio.fail_after(PATIENCE):
            async with trio.open_nursery() as meeting:
                meeting.start_soon(transport.handshake)
                meeting.start_soon(peer.do_handshake)
        yield transport, peer


@dataclass(frozen=True)
class Place:
    """Where the server is, and what its error log got."""

    port: int
    logs: list[logging.LogRecord]
    redirect: int = 0  # the port of plain HTTP

    async def bare(self) -> trio.SocketStream:
        return await trio.open_tcp_stream("127.0.0.1", self.port)

    async def connect(
        self, context: ssl.SSLContext | None = None, name: str = "localhost"
    ) -> Peer:
        """A peer after its handshake; trio.BrokenResourceError if it is refused."""
        peer = over(await self.bare(), context, name)
        try:
            await peer.do_handshake()
        except BaseException:
            await trio.aclose_forcefully(peer)
            raise
        return peer

    async def asked(self, path: str = "/", host: str = "localhost") -> bytes:
        """All that comes until the server ends the connection."""
        peer = await self.connect()
        async with peer:
            request = (
                f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
            )
            await peer.send_all(request.encode())
            return await rest(peer)


async def rest(stream: trio.abc.ReceiveStream) -> bytes:
    received = b""
    while piece := await stream.receive_some():
        received += piece
    return received


@contextlib.asynccontextmanager
async def place(
    app: Served,
    tls: TLS = SERVER,
    config: Config | None = None,
    *,
    clear: bool = True,
) -> AsyncIterator[Place]:
    """A server for as long as the block lasts; if *clear*, it holds nothing then."""
    config = config or Config(access_log="off", grace=1)
    config = dataclasses.replace(config, bind=("127.0.0.1:0",), tls=tls)
    with logged() as logs, trio.fail_after(PATIENCE * 4):
        async with open_server(app, config=config) as server:
            assert server.url.startswith("https://")
            ports = [int(url.rpartition(":")[2]) for url in server.urls]
            before, alone = descriptors(), tasks()
            yield Place(ports[0], logs, ports[-1])
            if clear:
                await until(lambda: tasks() == alone)
                await until(lambda: descriptors() <= before + 1)
