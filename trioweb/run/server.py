"""Server: an application served on sockets, by one event loop."""

from __future__ import annotations

import contextlib
import dataclasses
import socket
from collections.abc import AsyncIterator, Sequence

import trio

from trioweb.app.app import Served
from trioweb.message.health import Health
from trioweb.message.site import Site
from trioweb.run.admin import admin_listeners, administered
from trioweb.run.config import Config, LogForm, configure
from trioweb.run.connecting import connecting
from trioweb.run.doors import Doors, doors
from trioweb.run.figures import Figures
from trioweb.run.gauges import tell_of
from trioweb.run.groups import without_groups
from trioweb.run.listeners import open_all
from trioweb.run.serving import Record, Server, serving
from trioweb.run.tls.certificates import Certificates, watching
from trioweb.run.tls.certificates import opened as opened_certificates
from trioweb.run.tls.manners import reached
from trioweb.run.watchdog import watched
from trioweb.run.writer import Writer


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
    app: Served,
    config: Config,
    writer: Writer | None = None,
    certificates: Certificates | None = None,
) -> AsyncIterator[Server]:
    """`open_server`, with its arguments in one value and a *writer* for its log.

    *certificates* are those of the config, if they have been opened already.
    """
    certificates = certificates or opened_certificates(config.tls)
    figures = Figures()
    health = Health(figures.report, ready=False)
    async with contextlib.AsyncExitStack() as opened:
        listeners = open_all(config.bind, config.tls)
        for listener in listeners:
            opened.callback(listener.close)
        urls = [each.url for each in listeners]
        config = dataclasses.replace(config, tls=reached(config.tls, urls))
        admin = opened.enter_context(admin_listeners(config.admin))
        await opened.enter_async_context(administered(admin, health))
        server, ways = await opened.enter_async_context(
            answering(
                app,
                config,
                urls=urls,
                writer=writer,
                site=health,
                counted=figures.record,
                certificates=certificates,
            )
        )
        tell_of(figures, server, app)
        for listener in listeners:
            ways.open("", listener)
        health.ready = True
        yield server
        health.ready = False
        if config.drain_delay:
            await trio.sleep(config.drain_delay)


@contextlib.asynccontextmanager
async def answering(
    app: Served,
    config: Config,
    *,
    urls: Sequence[str] = (),
    writer: Writer | None = None,
    site: Site | Health | None = None,
    counted: Record | None = None,
    certificates: Certificates | None = None,
) -> AsyncIterator[tuple[Server, Doors]]:
    """`serving`, on sockets: the server, and its doors, which are all shut at first.

    With *certificates* it speaks TLS, but where a listener is plain.
    """
    async with contextlib.AsyncExitStack() as around:
        around.enter_context(without_groups())
        await around.enter_async_context(watched())
        connect = await around.enter_async_context(connecting())
        server = await around.enter_async_context(
            serving(app, config, urls=urls, writer=writer, site=site, counted=counted)
        )
        await around.enter_async_context(server.relieved())

        if certificates is not None:
            await around.enter_async_context(watching(certificates))

        def take(sock: socket.socket, address: object) -> None:
            server.accept(connect(sock, address, certificates))

        def plain(sock: socket.socket, address: object) -> None:
            server.accept(connect(sock, address))

        yield (
            server,
            await around.enter_async_context(doors(take, server.room, plain)),
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
