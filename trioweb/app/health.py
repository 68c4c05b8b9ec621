"""Health: applications that tell a monitor how the server is, to be mounted."""

from __future__ import annotations

from trioweb.app.answers import text
from trioweb.app.app import App
from trioweb.message.request import Request
from trioweb.message.response import Response

# Prometheus' text form (its "Exposition formats", version 0.0.4).
_FORM = ("content-type", "text/plain; version=0.0.4; charset=utf-8")

# True at this moment only.
_FRESH = ("cache-control", "no-store")


def metrics() -> App:
    """An application with the figures of the whole server, for Prometheus.

    ``app.mount("/metrics", metrics())``.  They say which routes there are and how busy
    they are: put a layer around it where everybody can ask.
    """
    app = App()

    @app.get("/")
    async def figures(request: Request) -> Response:
        return await _figures(app)

    return app


def health() -> App:
    """An application that says at ``/live`` and ``/ready`` how the server is.

    ``app.mount("/health", health())``.  Live: 200 for as long as somebody answers.
    Ready: 200, but 503 from the moment on in which a stop was asked for, so that
    whoever spreads requests sends them elsewhere.
    """
    app = App()

    @app.get("/live")
    async def live(request: Request) -> Response:
        return _live()

    @app.get("/ready")
    async def ready(request: Request) -> Response:
        return _ready(app)

    return app


def operations() -> App:
    """All of it, under the names that monitors know: what is served to admins alone."""
    app = App()

    @app.get("/metrics")
    async def figures(request: Request) -> Response:
        return await _figures(app)

    @app.get("/healthz")
    async def live(request: Request) -> Response:
        return _live()

    @app.get("/readyz")
    async def ready(request: Request) -> Response:
        return _ready(app)

    return app


async def _figures(app: App) -> Response:
    figures = await app.site.health.metrics()
    return Response(200, [_FORM, _FRESH], figures.encode())


def _live() -> Response:
    return text("live\n", headers=[_FRESH])


def _ready(app: App) -> Response:
    if app.site.health.ready:
        return text("ready\n", headers=[_FRESH])
    return text("not ready\n", 503, headers=[_FRESH])
