"""Server: one event loop's connections, from their first to a stop that loses none.

The stop is a sequence of scopes.  Leaving the block stops accepting; connections that
are idle go; exchanges at work get until the end of the grace; what is then left is
cancelled; and only after that are the application's lifespans left.
"""

from __future__ import annotations

import contextlib
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path

import trio

from trioweb.app.app import Served, as_app
from trioweb.message.exchange import Exchanged
from trioweb.message.site import Site
from trioweb.message.transport import Transport
from trioweb.rules.forwarded import Proxies
from trioweb.run.access_log import record_for
from trioweb.run.config import Config, LogForm, configure
from trioweb.run.connecting import connecting
from trioweb.run.doors import Doors, doors
from trioweb.run.groups import without_groups
from trioweb.run.listeners import open_listeners
from trioweb.run.pressure import relieved
from trioweb.run.room import Room, affordable
from trioweb.run.watchdog import watched
from trioweb.run.writer import Writer
from trioweb.wire import connection
from trioweb.wire.service import Service


class Server:
    """A server that runs: where it is reached, and how to stop it.

    *urls* are its listening addresses in the order of the binds, *url* the first;
    *room* counts its connections.
    """

    def __init__(
        self, service: Service, connections: trio.Nursery, urls: Sequence[str] = ()
    ) -> None:
        self.urls = list(urls)
        self._service = service
        self._connections = connections
        self._stopping = trio.Event()
        self.room = Room(affordable(service.limits.connections), service.evict)

    @property
    def url(self) -> str:
        """Where it is reached: the first of its URLs."""
        return self.urls[0]

    def accept(self, transport: Transport) -> None:
        """Serve what comes on *transport*, which is the server's from now on."""
        # Counted here, not in its task: a stop between the two would forget it.
        self.room.enter()
        self._connections.start_soon(self._serve, transport)

    async def _serve(self, transport: Transport) -> None:
        try:
            await connection.serve(transport, self._service)
        finally:
            self.room.leave()

    def relieved(self) -> contextlib.AbstractAsyncContextManager[None]:
        """Shed load while the block runs and memory is short."""
        return relieved(self._service)

    def stop(self) -> None:
        """Ask for a graceful stop; any number of times."""
        self._stopping.set()

    async def stopping(self) -> None:
        """Wait until somebody has asked for a stop."""
        await self._stopping.wait()


@contextlib.asynccontextmanager
async def serving(
    app: Served,
    config: Config | None = None,
    *,
    urls: Sequence[str] = (),
    writer: Writer | None = None,
    site: Site | None = None,
    counted: Record | None = None,
) -> AsyncIterator[Server]:
    """An application at work, which accepts what `Server.accept` is given.

    Leaving the block is a graceful stop, bounded by the config's grace; an exception
    that leaves it cuts every connection at once.  The access log is written by *writer*
    or by one of its own.  *site* is one of its own unless it is given; *counted* is
    told of every exchange besides the log.
    """
    config = config or Config(access_log="off")
    application = as_app(app)
    handler = application.freeze()
    with without_groups(), _own_site(site) as place:
        async with (
            record_for(config.access_log, writer) as record,
            application.open(place),
        ):
            service = Service(
                handler, config.limits, _both(counted, record), _proxies(config)
            )
            async with service.running(), trio.open_nursery() as connections:
                yield Server(service, connections, urls)
                service.drain()
                connections.cancel_scope.deadline = trio.current_time() + config.grace


def _proxies(config: Config) -> Proxies | None:
    trusted = config.trusted_proxies
    return Proxies(trusted, config.proxy_headers) if trusted else None


Record = Callable[[Exchanged], None]
"""Told of an exchange when it is over; it must not block."""


@contextlib.contextmanager
def _own_site(given: Site | None) -> Iterator[Site]:
    if given is not None:
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="trioweb-") as directory:
        yield Site(workers=1, worker=0, directory=Path(directory))


def _both(first: Record | None, second: Record | None) -> Record | None:
    if first is None or second is None:
        return first or second

    def record(exchanged: Exchanged) -> None:
        first(exchanged)
        second(exchanged)

    return record


@contextlib.asynccontextmanager
async def open_server(
    app: Served,
    *,
    port: int | None = None,
    bind: str | Sequence[str] | None = None,
    access_log: LogForm | None = None,
    config: Config | None = None,
) -> AsyncIterator[Server]:
    """A server that listens for as long as the block runs.

    *app* is an App or a handler; *port* is one of localhost, 0 for any that is free;
    *bind* is as ``--bind``.  ``server.urls`` is known inside the block, and leaving it
    is a graceful stop.  No access log unless one is asked for.  SetupError (BindError)
    where it cannot start.
    """
    config = config or Config(access_log="off")
    config = configure(config, port=port, bind=bind, access_log=access_log)
    async with listening(app, config) as server:
        yield server


@contextlib.asynccontextmanager
async def listening(
    app: Served, config: Config, writer: Writer | None = None
) -> AsyncIterator[Server]:
    """`open_server`, with its arguments in one value and a *writer* for its log."""
    with contextlib.ExitStack() as opened:
        listeners = open_listeners(config.bind)
        for listener in listeners:
            opened.callback(listener.close)
        urls = [each.url for each in listeners]
        async with answering(app, config, urls=urls, writer=writer) as (server, ways):
            for listener in listeners:
                ways.open("", listener)
            yield server


@contextlib.asynccontextmanager
async def answering(
    app: Served,
    config: Config,
    *,
    urls: Sequence[str] = (),
    writer: Writer | None = None,
    site: Site | None = None,
    counted: Record | None = None,
) -> AsyncIterator[tuple[Server, Doors]]:
    """`serving`, on sockets: the server, and its doors, which are all shut at first."""
    async with contextlib.AsyncExitStack() as around:
        around.enter_context(without_groups())
        await around.enter_async_context(watched())
        connect = await around.enter_async_context(connecting())
        server = await around.enter_async_context(
            serving(app, config, urls=urls, writer=writer, site=site, counted=counted)
        )
        await around.enter_async_context(server.relieved())

        def take(sock: socket.socket, address: object) -> None:
            server.accept(connect(sock, address))

        yield (
            server,
            await around.enter_async_context(doors(take, server.room)),
        )


async def serve(
    app: Served,
    *,
    port: int | None = None,
    bind: str | Sequence[str] | None = None,
    access_log: LogForm | None = None,
    config: Config | None = None,
    task_status: trio.TaskStatus[Server] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve inside your own nursery: ``server = await nursery.start(serve, app)``.

    It runs until ``server.stop()``, which is graceful, or until it is cancelled, which
    cuts every connection.  Arguments as for `open_server`.
    """
    async with open_server(
        app, port=port, bind=bind, access_log=access_log, config=config
    ) as server:
        task_status.started(server)
        await server.stopping()
