"""Load: one measurement of one server, with a generator on another core."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks import h2load, wrk
from benchmarks.system import processor_seconds, resident
from benchmarks.works import Generator, Work


class LoadFailed(Exception):
    """The generator has failed, or the server has not answered every request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What one run of the generator cost a server and gave its peers."""

    processor: float  # µs of the server's process tree for each request
    rate: float  # requests a second
    p50: float | None  # ms; None where the generator cannot tell
    p99: float | None  # ms
    rss: int  # bytes of the process tree at the end


async def measure(pid: int, port: int, work: Work, seconds: int) -> Measurement:
    """Load the server *pid* at *port* with *work*; LoadFailed if it does not stand it.

    What connecting costs is in it, once for thousands of requests.
    """
    load = wrk.load if work.generator is Generator.WRK else h2load.load
    before = processor_seconds(pid)
    sent = await load(port, work, seconds)
    used = processor_seconds(pid) - before
    if sent is None or sent.failed or sent.requests < _least(work):
        raise LoadFailed(f"{work.name} at port {port}: {sent}")
    return Measurement(
        processor=used / sent.requests * 1e6,
        rate=sent.requests / sent.seconds,
        p50=sent.p50,
        p99=sent.p99,
        rss=resident(pid),
    )


def _least(work: Work) -> int:
    """Answers without which it is as much about those that are still on their way."""
    return wrk.CONNECTIONS * work.depth if work.generator is Generator.WRK else 1
