"""h2load: requests of HTTP/2, and handshakes that resume no other.

What it is told to do for a time it leaves undone at the end of it; that is no matter
for small answers, but what is large is counted out, so that each is taken to its end.
"""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import quantiles

import trio

from benchmarks.programs import Lines, started
from benchmarks.sent import Sent
from benchmarks.system import cores
from benchmarks.works import Generator, Work

CONNECTIONS = 8
STREAMS = 16

# New connections at once: what a server of any kind has room for in its backlog.
BURST = 64

# Seconds that it may take longer than it was told, and for one lot of transfers.
OVERTIME = 20
PATIENCE = 60

_FINISHED = re.compile(r"finished in ([\d.]+)(us|ms|s|m)\b")
_REQUESTS = re.compile(r"requests: (\d+) total, .* (\d+) succeeded")
_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}


async def load(port: int, work: Work, seconds: int) -> Sent | None:
    """Ask the server at *port* for so many seconds; None if h2load has failed."""
    if work.generator is Generator.STREAMS:
        return await _streams(port, work, seconds)
    if work.generator is Generator.TRANSFERS:
        return await _transfers(port, work, seconds)
    return await _handshakes(port, work, seconds)


async def _streams(port: int, work: Work, seconds: int) -> Sent | None:
    options = (f"-c{CONNECTIONS}", f"-m{STREAMS}", f"-D{seconds}")
    return await _ran(port, work, options, seconds + OVERTIME)


async def _transfers(port: int, work: Work, seconds: int) -> Sent | None:
    """One on each connection to see how long it takes, then as many as there is time.

    Both count: of neither is anything left undone.
    """
    options = (f"-c{CONNECTIONS}", "-m1")
    first = await _ran(port, work, (*options, f"-n{CONNECTIONS}"), PATIENCE)
    if first is None or not first.seconds:
        return None
    turns = max(1, round(seconds / first.seconds))
    rest = (*options, f"-n{CONNECTIONS * turns}")
    then = await _ran(port, work, rest, seconds + PATIENCE)
    return then and _sum([first, then], p50=then.p50, p99=then.p99)


async def _handshakes(port: int, work: Work, seconds: int) -> Sent | None:
    """One request on each new connection; what a peer waits for is not told."""
    options = ("--h1", f"-c{BURST}", f"-n{BURST}")
    lots: list[Sent] = []
    while sum(lot.seconds for lot in lots) < seconds:
        lot = await _ran(port, work, options, PATIENCE)
        if lot is None or not lot.seconds:
            return None
        lots.append(lot)
    return _sum(lots)


def _sum(
    lots: Sequence[Sent], *, p50: float | None = None, p99: float | None = None
) -> Sent:
    return Sent(
        requests=sum(lot.requests for lot in lots),
        failed=sum(lot.failed for lot in lots),
        seconds=sum(lot.seconds for lot in lots),
        p50=p50,
        p99=p99,
    )


async def _ran(
    port: int, work: Work, options: Sequence[str], patience: float
) -> Sent | None:
    with tempfile.TemporaryDirectory(prefix="trioweb-benchmark-") as place:
        log = Path(place, "log")
        command = ["h2load", "-t1", *options, f"--log-file={log}"]
        command += _content(work, Path(place, "body"))
        command.append(f"https://127.0.0.1:{port}{work.path}")
        async with started(command, core=cores().others) as h2load:
            with trio.move_on_after(patience):
                said = [line async for line in Lines(h2load)]
                if await h2load.process.wait() == 0:
                    return read(b"\n".join(said).decode(), log)
    return None


def _content(work: Work, file: Path) -> list[str]:
    if not work.body:
        return []
    file.write_bytes(work.body)
    return [f"--data={file}"]


def read(said: str, log: Path) -> Sent | None:
    """What h2load *said*, and has written of each request to its *log*."""
    finished, requests = _FINISHED.search(said), _REQUESTS.search(said)
    if finished is None or requests is None:
        return None
    times, statuses = [], Counter[str]()
    for line in log.read_text().splitlines():
        _, status, micros = line.split("\t")[:3]
        times.append(int(micros) / 1000)
        statuses[status] += 1
    # It sees no status where HTTP/1.1 gives it without a phrase, and takes it for none.
    unnamed = statuses["0"]
    total, succeeded = int(requests[1]), int(requests[2]) + unnamed
    refused = statuses.total() - statuses["200"] - unnamed
    percents = (
        quantiles(times, n=100) if len(times) > 1 else [*times * 99] or [0.0] * 99
    )
    return Sent(
        requests=succeeded,
        failed=max(refused, total - succeeded),
        seconds=float(finished[1]) * _SECONDS[finished[2]],
        p50=percents[49],
        p99=percents[98],
    )
