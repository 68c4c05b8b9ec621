"""The httpx2 client whose connections are in memory.

Its connection pool and its HTTP/1.1 are httpx2's own: only the network beneath them is
ours.  Imported by `trioweb.testing.client` alone, so that httpx2 is needed by nobody
else.
"""

from __future__ import annotations

import math
import ssl
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import TYPE_CHECKING, Self

import httpcore2
import httpx2
import trio

from trioweb.testing.events import EventSource, listening
from trioweb.testing.peer import RawPeer
from trioweb.testing.tls import PeerTLS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from trioweb.testing.connections import Connections
    from trioweb.testing.transport import MemoryTransport
    from trioweb.testing.websocket import WebSocketPeer


class Client(httpx2.AsyncClient):
    """An httpx2.AsyncClient of an application in this very process.

    It raises what httpx2 raises: httpx2.ReadError where the connection was reset,
    httpx2.RemoteProtocolError where a response was cut off.  An exception of the
    application is what any client sees of it, a response with status 500.
    """

    def __init__(
        self,
        connections: Connections,
        *,
        base_url: str,
        headers: Mapping[str, str],
        cookies: Mapping[str, str],
        timeout: float | None,
        follow_redirects: bool,
        http2: bool = False,
    ) -> None:
        super().__init__(
            transport=_Pool(connections, http2=http2),
            base_url=base_url,
            headers=dict(headers),
            cookies=dict(cookies),
            timeout=timeout,
            follow_redirects=follow_redirects,
            trust_env=False,  # no proxy and no password of the machine's
        )
        self._connections = connections

    def connect(self) -> RawPeer:
        """A connection for what a client cannot do; ``async with`` closes it."""
        secure = self.base_url.scheme == "https"
        transport = self._connections.open(secure=secure, name=self.base_url.host)
        return RawPeer(transport, host=self.base_url.netloc.decode("ascii"))

    def events(
        self,
        path: str,
        *,
        last_event_id: str = "",
        headers: Mapping[str, str] = {},
    ) -> AbstractAsyncContextManager[EventSource]:
        """Listen to the events at *path* while the block lasts, as a browser would.

        ``async with client.events("/clock") as source: event = await anext(source)``.
        *last_event_id* is what a browser says when it comes back.  Raises BadResponse
        for an answer that a browser would not listen to.
        """
        return listening(self, path, last_event_id=last_event_id, headers=headers)

    def websocket(  # type: ignore[override]  # ours is no httpx2 session
        self,
        path: str,
        *,
        subprotocols: Sequence[str] = (),
        headers: Mapping[str, str] = {},
    ) -> AbstractAsyncContextManager[WebSocketPeer]:
        """Open a WebSocket at *path*, with the client's cookies, and close it after.

        ``async with client.websocket("/chat") as ws: await ws.send("hello")``.  Raises
        WebSocketRefused, which has the status, where the answer is another.
        """
        from trioweb.testing.websocket import talking  # noqa: PLC0415  # an extra

        asked = self.build_request("GET", path, headers=dict(headers))
        target = asked.url.raw_path.decode("ascii")
        return talking(self.connect(), target, asked.headers.raw, subprotocols)

    def abort(self) -> None:
        """Reset all open connections at once, those of `connect` included."""
        self._connections.abort()


class _Pool(httpx2.AsyncBaseTransport):
    """Hands httpx2's requests to httpcore2's pool, over our network."""

    def __init__(self, connections: Connections, *, http2: bool) -> None:
        secrecy = connections.secrecy
        # Without one the pool would load every authority there is.
        unused = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=unused if secrecy is None else secrecy.context,
            max_connections=None,
            # Only over TLS it can be agreed on; else it is known beforehand.
            http1=secrecy is not None or not http2,
            http2=http2,
            network_backend=_Network(connections),
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        url = httpcore2.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        asked = httpcore2.Request(
            request.method,
            url,
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        with _translated():
            answer = await self._pool.handle_async_request(asked)
        return httpx2.Response(
            answer.status,
            headers=answer.headers,
            stream=_Body(answer),
            extensions=answer.extensions,
        )

    async def aclose(self) -> None:
        with _translated():
            await self._pool.aclose()


class _Body(httpx2.AsyncByteStream):
    """A response's body, by an iterator that closes what it iterates over.

    A generator that is left half-way is a warning of Trio's.
    """

    def __init__(self, answer: httpcore2.Response) -> None:
        self._answer = answer
        self._pieces = answer.aiter_stream()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        with _translated():
            return await anext(self._pieces)

    async def aclose(self) -> None:
        with _translated():
            await self._pieces.aclose()
            await self._answer.aclose()


class _Network(httpcore2.AsyncNetworkBackend):
    """Whatever the address, it is the application."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # the signature is httpcore2's
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        await trio.lowlevel.checkpoint()
        return _Stream(self._connections)


class _Stream(httpcore2.AsyncNetworkStream):
    """One connection.

    The server meets it with its first byte: only then it is known whether TLS is, or
    would have been, spoken.
    """

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._secure = False
        self._name = ""
        self._opened: MemoryTransport | PeerTLS | None = None

    @property
    def _transport(self) -> MemoryTransport | PeerTLS:
        if self._opened is None:
            self._opened = self._connections.open(secure=self._secure, name=self._name)
        return self._opened

    async def read(
        self,
        max_bytes: int,
        timeout: float | None = None,  # noqa: ASYNC109  # the signature is httpcore2's
    ) -> bytes:
        with _network_errors(httpcore2.ReadTimeout, httpcore2.ReadError):
            with trio.fail_after(math.inf if timeout is None else timeout):
                return bytes(await self._transport.receive_some(max_bytes))

    async def write(
        self,
        buffer: bytes,
        timeout: float | None = None,  # noqa: ASYNC109  # the signature is httpcore2's
    ) -> None:
        with _network_errors(httpcore2.WriteTimeout, httpcore2.WriteError):
            with trio.fail_after(math.inf if timeout is None else timeout):
                await self._transport.send_all(buffer)

    async def aclose(self) -> None:
        if self._opened is None:
            await trio.lowlevel.checkpoint()
        else:
            await self._opened.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109  # the signature is httpcore2's
    ) -> httpcore2.AsyncNetworkStream:
        self._secure = True
        self._name = server_hostname or ""
        with _network_errors(httpcore2.ConnectTimeout, httpcore2.ConnectError):
            with trio.fail_after(math.inf if timeout is None else timeout):
                await self._transport.handshake()
        return self

    def get_extra_info(self, info: str) -> object:
        # Asked of an idle connection: there is something to read when it was closed.
        if info == "is_readable":
            return self._transport.readable
        if info == "ssl_object" and isinstance(self._opened, PeerTLS):
            return self._opened.agreed
        return None


@contextmanager
def _network_errors(
    late: type[httpcore2.TimeoutException], broken: type[httpcore2.NetworkError]
) -> Iterator[None]:
    """Say in httpcore2's words what went wrong on the connection."""
    try:
        yield
    except trio.TooSlowError as error:
        raise late from error
    except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
        raise broken(str(error)) from error


@contextmanager
def _translated() -> Iterator[None]:
    """Say in httpx2's words what httpcore2 has said in its own: the names are equal."""
    try:
        yield
    except _FAULTS as error:
        known = getattr(httpx2, type(error).__name__)
        raise known(str(error)) from error


_FAULTS = (
    httpcore2.NetworkError,
    httpcore2.ProtocolError,
    httpcore2.TimeoutException,
    httpcore2.UnsupportedProtocol,
)
