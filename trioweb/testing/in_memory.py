"""An application served in memory: its lifespans, the real wire, and no socket."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from trioweb.message.errors import SetupError
from trioweb.message.offload import inline, runner
from trioweb.run.config import Config
from trioweb.run.serving import serving
from trioweb.run.tls.certificates import Certificates
from trioweb.testing.connections import Connections, Secrecy

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Callable, Mapping

    from trioweb.app.app import Served
    from trioweb.message.transport import Transport
    from trioweb.run.tls.config import TLS
    from trioweb.testing.httpx_client import Client

# A test wants no lines of an access log among its own.
QUIET = Config(access_log="off")


@asynccontextmanager
async def client(
    app: Served,
    *,
    base_url: str = "http://test",
    headers: Mapping[str, str] = {},
    cookies: Mapping[str, str] = {},
    timeout: float | None = None,  # noqa: ASYNC109  # of each request, by httpx2
    follow_redirects: bool = False,
    config: Config = QUIET,
    http2: bool = False,
    context: ssl.SSLContext | None = None,
) -> AsyncIterator[Client]:
    """An HTTP client of *app*, which is served in memory while the block lasts.

    Every request goes as bytes through the server's own wire.  Lifespans are entered
    before the block and left after it; leaving it stops the server as a signal would,
    and nothing of it is left running.  SetupError if *app* is put together wrongly.

    With an https *base_url* the connections count as secure.  With *context* they are:
    it says whom the client trusts and what it shows of itself, and the certificates of
    the server are those of the config.  *http2* speaks HTTP/2, which over such TLS is
    agreed on; it wants the extra ``h2``.  *timeout* is in seconds
    of Trio's clock, for each read and write; None waits for ever.  Blocking file work
    is done in this thread, so that the virtual clock does not run away from it.
    """
    # Whoever has not installed httpx2 can still use the rest of trioweb.testing.
    from trioweb.testing.httpx_client import Client  # noqa: PLC0415

    connections = _connecting(config.tls, context, alpn="h2" if http2 else None)
    token = runner.set(inline)
    try:
        async with (
            serving(app, config) as server,
            Client(
                connections(server.accept),
                base_url=base_url,
                headers=headers,
                cookies=cookies,
                timeout=timeout,
                follow_redirects=follow_redirects,
                http2=http2,
            ) as opened,
        ):
            yield opened
    finally:
        runner.reset(token)


def _connecting(
    tls: TLS, context: ssl.SSLContext | None, *, alpn: str | None
) -> Callable[[Callable[[Transport], None]], Connections]:
    if context is None:
        return partial(Connections, alpn=alpn)
    if not tls.on:
        msg = "TLS is to be spoken, and the server has no certificate; "
        raise SetupError(msg + "give config=Config(tls=TLS(...))")
    return partial(Connections, secrecy=Secrecy(context, Certificates(tls)))
