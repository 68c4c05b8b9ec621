"""Gauges: what one process says of its server besides its exchanges."""

from __future__ import annotations

from trioweb.app.app import App, Served
from trioweb.app.sessions.patience import failures
from trioweb.message.measures import Family
from trioweb.run.figures import Figures
from trioweb.run.memory import memory
from trioweb.run.serving import Server

CONNECTIONS = Family("trioweb_connections", "gauge", "Connections that are open.")
AT_WORK = Family(
    "trioweb_requests_at_work", "gauge", "Requests that are being answered."
)
EVICTED = Family(
    "trioweb_evicted_connections_total",
    "counter",
    "Idle connections that were closed for want of room.",
)
FAILED = Family(
    "trioweb_session_store_failures_total",
    "counter",
    "Questions to a store of sessions that failed or took too long: 503s, mostly.",
)
MEMORY = Family("trioweb_memory_bytes", "gauge", "RAM that processes which serve hold.")


def tell_of(figures: Figures, server: Server, app: Served) -> None:
    """Let *figures* tell how *server* is, and what *app* counts."""
    figures.watch(CONNECTIONS, lambda: server.room.taken)
    figures.watch(AT_WORK, lambda: server.at_work)
    figures.watch(EVICTED, lambda: server.evicted)
    figures.watch(FAILED, failures)
    figures.watch(MEMORY, memory)
    if isinstance(app, App):
        figures.include(app.measures())
