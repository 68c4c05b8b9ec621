"""Admin: figures and probes on a listener of their own, apart from what is served."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

from trioweb.app.health import operations
from trioweb.message.health import Health
from trioweb.message.site import Site
from trioweb.run.config import Config
from trioweb.run.connecting import connecting
from trioweb.run.doors import doors
from trioweb.run.listeners import Listener, open_listeners
from trioweb.run.serving import serving
from trioweb.wire.limits import Limits

# Connections of monitors: more than anybody has, less than a supervisor would feel.
CONNECTIONS = 64

# Seconds that an answer may still take when everything else has ended: all are ready.
GRACE = 1.0

_CONFIG = Config(
    access_log="off",
    grace=GRACE,
    limits=Limits(connections=CONNECTIONS, at_work=CONNECTIONS, drain_linger=0.1),
)


@contextmanager
def admin_listeners(bind: str | None) -> Iterator[list[Listener]]:
    """Listen at *bind*, if that is given; BindError where it cannot be had."""
    listeners = [] if bind is None else open_listeners([bind])
    try:
        yield listeners
    finally:
        for each in listeners:
            each.close()


@asynccontextmanager
async def administered(
    listeners: list[Listener], health: Health
) -> AsyncIterator[None]:
    """Answer /metrics, /healthz and /readyz on *listeners* while the block runs."""
    if not listeners:
        yield
        return
    # It is not asked for a place: none of its handlers has anything to keep.
    site = Site(workers=1, worker=0, directory=Path("/nonexistent"), health=health)
    async with AsyncExitStack() as around:
        connect = await around.enter_async_context(connecting())
        server = await around.enter_async_context(
            serving(operations(), _CONFIG, site=site)
        )

        def take(sock: socket.socket, address: object) -> None:
            server.accept(connect(sock, address))

        ways = await around.enter_async_context(doors(take, server.room))
        for each in listeners:
            ways.open("", each)
        yield
