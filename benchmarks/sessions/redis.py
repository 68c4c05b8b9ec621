"""A Redis server of our own, which forgets everything at its end."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from benchmarks.programs import started
from benchmarks.rounds import free_port, listening
from benchmarks.system import cores


@contextlib.asynccontextmanager
async def redis() -> AsyncIterator[int]:
    """The port of 127.0.0.1 where it serves, on the core of the generator.

    It writes nothing to the disk.  NotServing if it does not start.
    """
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1"]
    command += ["--save", "", "--appendonly", "no", "--loglevel", "warning"]
    async with started(command, core=cores().others) as server:
        await listening("redis-server", server, port)
        yield port
