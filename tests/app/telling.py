"""Applications that answer everything with events, for tests of streams."""

from __future__ import annotations

from typing import Any

import trio

from trioweb import App, EventStream, Request, Response, events
from trioweb.app.events import RETRY
from trioweb.app.events import EventTalk as Talk
from trioweb.run.config import Config

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
OPENING = b"retry: %d\n\n" % RETRY
QUIETLY = Config(access_log="off")


def answering(talk: Talk, **options: Any) -> App:  # noqa: ANN401
    """An application that answers everything with the events of *talk*."""
    app = App()

    async def handler(request: Request) -> Response:
        return events(talk, **options)

    app.mount("/", handler)
    return app


async def forever(stream: EventStream) -> None:
    await trio.sleep_forever()
