"""An application served in memory: its lifespans, the real wire, and no socket."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from trioweb.message.offload import inline, runner
from trioweb.run.config import Config
from trioweb.run.serving import serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from trioweb.app.app import Served
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
) -> AsyncIterator[Client]:
    """An HTTP client of *app*, which is served in memory while the block lasts.

    Every request goes as bytes through the server's own wire.  Lifespans are entered
    before the block and left after it; leaving it stops the server as a signal would,
    and nothing of it is left running.  SetupError if *app* is put together wrongly.

    With an https *base_url* the connections count as secure.  *timeout* is in seconds
    of Trio's clock, for each read and write; None waits for ever.  Blocking file work
    is done in this thread, so that the virtual clock does not run away from it.
    """
    # Whoever has not installed httpx2 can still use the rest of trioweb.testing.
    from trioweb.testing.httpx_client import Client, Connections  # noqa: PLC0415

    token = runner.set(inline)
    try:
        async with (
            serving(app, config) as server,
            Client(
                Connections(server.accept),
                base_url=base_url,
                headers=headers,
                cookies=cookies,
                timeout=timeout,
                follow_redirects=follow_redirects,
            ) as opened,
        ):
            yield opened
    finally:
        runner.reset(token)
