"""Logs: the access log and the error log of a program that serves, in one stream."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from trioweb.run.access_log import lost_in
from trioweb.run.config import Config
from trioweb.run.error_log import errors_told
from trioweb.run.writer import Writer, writing


@asynccontextmanager
async def logs(config: Config) -> AsyncIterator[Writer]:
    """One writer for both logs, so that their lines come in the order of events."""
    async with writing(lost=lost_in(config.access_log)) as writer:
        with errors_told(writer.write):
            yield writer
