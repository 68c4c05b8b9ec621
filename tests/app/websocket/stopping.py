"""An application in memory that can be stopped while its peers look on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from trioweb import App
from trioweb.message.exchange import Exchanged
from trioweb.run.serving import Server, serving
from trioweb.testing.connections import Connections
from trioweb.testing.httpx_client import Client


class Service:
    """The application's client, and what is known of its server."""

    def __init__(
        self, peer: Client, kept: list[Exchanged], asked: trio.Event, done: trio.Event
    ) -> None:
        self.peer = peer
        self.kept = kept  # the exchanges that are over
        self._asked, self._done = asked, done

    async def stop(self) -> float:
        """Stop as a signal would; the seconds that it took."""
        start = trio.current_time()
        self._asked.set()
        await self._done.wait()
        return trio.current_time() - start


@asynccontextmanager
async def stoppable(app: App) -> AsyncIterator[Service]:
    """*app* at work, stopped at the latest when the block ends."""
    kept: list[Exchanged] = []
    asked, done = trio.Event(), trio.Event()

    async def serve(
        task_status: trio.TaskStatus[Server] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        async with serving(app, counted=kept.append) as server:
            task_status.started(server)
            await asked.wait()
        done.set()

    async with trio.open_nursery() as around:
        server: Server = await around.start(serve)
        peer = Client(
            Connections(server.accept),
            base_url="http://test",
            headers={},
            cookies={},
            timeout=None,
            follow_redirects=False,
        )
        service = Service(peer, kept, asked, done)
        async with peer:
            yield service
            await service.stop()
