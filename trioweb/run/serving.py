"""Serving: an application at work on transports, to a stop that loses none.

The stop is a sequence of scopes.  Leaving the block stops accepting; connections that
are idle go; exchanges at work get until the end of the grace; what is then left is
cancelled; and only after that are the application's lifespans left.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence

import trio

from trioweb.app.app import Served, as_app
from trioweb.message.exchange import Exchanged
from trioweb.message.health import Health
from trioweb.message.site import Site
from trioweb.message.transport import Transport
from trioweb.rules.forwarded import Proxies
from trioweb.run.access_log import record_for
from trioweb.run.config import Config
from trioweb.run.groups import without_groups
from trioweb.run.pressure import relieved
from trioweb.run.room import Room, affordable
from trioweb.run.runtime import runtime_directory
from trioweb.run.tls.manners import mannered
from trioweb.run.writer import Writer
from trioweb.wire import connection
from trioweb.wire.service import Service


class Server:
    """A server that runs: where it is reached, and how to stop it.

    *urls* are its listening addresses in the order of the binds, *url* the first;
    *room* counts its connections, *evicted* those that were closed for want of it.
    """

    def __init__(
        self, service: Service, connections: trio.Nursery, urls: Sequence[str] = ()
    ) -> None:
        self.urls = list(urls)
        self._service = service
        self._connections = connections
        self._stopping = trio.Event()
        self.evicted = 0
        self.room = Room(affordable(service.limits.connections), self._evict)

    @property
    def url(self) -> str:
        """Where it is reached: the first of its URLs."""
        return self.urls[0]

    @property
    def at_work(self) -> int:
        """How many requests are being answered."""
        return len(self._service.at_work)

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

    def _evict(self) -> bool:
        evicted = self._service.evict()
        self.evicted += evicted
        return evicted

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
    site: Site | Health | None = None,
    counted: Record | None = None,
) -> AsyncIterator[Server]:
    """An application at work, which accepts what `Server.accept` is given.

    Leaving the block is a graceful stop, bounded by the config's grace; an exception
    that leaves it cuts every connection at once.  The access log is written by *writer*
    or by one of its own.  *site* is one of its own, perhaps with a given health, unless
    it is given; *counted* is told of every exchange besides the log.
    """
    config = config or Config(access_log="off")
    application = as_app(app)
    handler = mannered(application.freeze(), config.tls)
    with without_groups(), _own_site(site) as place:
        async with (
            record_for(config.access_log, writer) as record,
            application.open(place),
        ):
            service = Service(
                handler,
                config.limits,
                _both(counted, record),
                _proxies(config),
                lane=config.lane,
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
def _own_site(given: Site | Health | None) -> Iterator[Site]:
    if isinstance(given, Site):
        yield given
        return
    with runtime_directory() as directory:
        health = given or Health()
        yield Site(workers=1, worker=0, directory=directory, health=health)


def _both(first: Record | None, second: Record | None) -> Record | None:
    if first is None or second is None:
        return first or second

    def record(exchanged: Exchanged) -> None:
        first(exchanged)
        second(exchanged)

    return record
