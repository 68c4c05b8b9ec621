"""``python -m benchmarks.starting``: how long servers take to start, and their memory.

A server is started as its users would, and asked until it answers: that is its time.
Memory is the proportional share (PSS) of all its processes once it is idle, so that
what workers share counts once.
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import trio

from benchmarks.command import run
from benchmarks.peer import NotInstalled, Peer
from benchmarks.programs import started
from benchmarks.progress import Progress
from benchmarks.results import record
from benchmarks.rounds import Spread, free_port
from benchmarks.serving import START, NotServing, ask
from benchmarks.system import PROC
from benchmarks.table import markdown

_ASGI = "benchmarks.apps.asgi:app"
_REQUEST = b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"

# Seconds between two questions, and until an idle server's memory is read.
LOOK = 0.005
REST = 1.5

PEERS = (
    Peer(
        name="trioweb",
        command=(
            *("{python}", "-m", "trioweb", "run", "benchmarks/apps/plain.py"),
            *("--bind", "127.0.0.1:{port}", "--access-log", "off"),
            *("--workers", "{workers}"),
        ),
        version=("{python}", "-m", "trioweb", "--version"),
    ),
    Peer(
        name="node-cluster",
        command=(
            *("node", "benchmarks/apps/node.js", "{port}", "--workers", "{workers}"),
        ),
        version=("node", "--version"),
    ),
    Peer(
        name="uvicorn",
        packages=("uvicorn==0.54.0", "h11==0.16.0"),
        command=(
            *("{python}", "-m", "uvicorn", _ASGI, "--port", "{port}", "--lifespan"),
            *("off", "--log-level", "warning", "--workers", "{workers}"),
        ),
        version=("{python}", "-m", "uvicorn", "--version"),
    ),
    Peer(
        name="hypercorn",
        packages=("hypercorn==0.18.0",),
        command=(
            *("{python}", "-m", "hypercorn", _ASGI, "--bind", "127.0.0.1:{port}"),
            *("--workers", "{workers}"),
        ),
        version=("{python}", "-m", "pip", "freeze"),
    ),
    Peer(
        name="granian",
        packages=("granian",),
        command=(
            *("{environment}/bin/granian", "--interface", "asgi", "--port", "{port}"),
            *("--log-level", "error", "--workers", "{workers}", _ASGI),
        ),
        version=("{environment}/bin/granian", "--version"),
    ),
)

COUNTS = (1, 2)
HEADINGS = (
    "server",
    *(f"first answer with {n}, ms" for n in COUNTS),
    *(f"memory with {n}, MiB" for n in COUNTS),
    "each worker more, MiB",
)


@dataclass(frozen=True, slots=True)
class Start:
    """One start: until the first answer, and memory after it."""

    milliseconds: float
    mebibytes: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Start every server some times, and print the table; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.starting")
    parser.add_argument("--rounds", type=int, default=5, help="default: %(default)s")
    parser.add_argument("--write", action="store_true", help="record it in results.md")
    return run(partial(_run, parser.parse_args(arguments)))


async def _run(options: argparse.Namespace) -> int:
    progress = Progress()
    found: defaultdict[tuple[str, int], list[Start]] = defaultdict(list)
    try:
        for peer in PEERS:
            progress.show(f"installing {peer.name}")
            await peer.install()
        for turn in range(options.rounds):
            for peer in PEERS:
                for count in COUNTS:
                    progress.show(f"round {turn + 1}: {peer.name}, {count}")
                    found[peer.name, count].append(await start(peer, count))
    except (NotInstalled, NotServing) as error:
        progress.keep(str(error))
        return 1
    text = f"{table(found)}\n\n{await imports()}"
    print(text)
    if options.write:
        command = f"python -m benchmarks.starting --rounds {options.rounds} --write"
        record("starting", command, text)
    return 0


async def start(peer: Peer, workers: int) -> Start:
    """Start *peer* with so many workers, once; NotServing if it never answers."""
    words = [word.replace("{workers}", str(workers)) for word in peer.command]
    port = free_port()
    began = time.perf_counter()
    async with started(replace(peer, command=tuple(words)).at(port), core=None) as it:
        with trio.move_on_after(START):
            while not await _answers(port):  # noqa: ASYNC110  # it says nothing
                await trio.sleep(LOOK)
            took = (time.perf_counter() - began) * 1000
            await trio.sleep(REST)
            return Start(took, share(it.pid) / 2**20)
        raise NotServing(f"{peer.name} did not start: {it.said()}")


async def _answers(port: int) -> bool:
    with contextlib.suppress(OSError, NotServing, trio.BrokenResourceError):
        return (await ask(port, _REQUEST)).status == 200
    return False


def share(pid: int) -> int:
    """The bytes that *pid* and all that it has started take of memory, in parts."""
    family, total = [pid], 0
    parents: defaultdict[int, list[int]] = defaultdict(list)
    for folder in PROC.iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                parents[int(fields[1])].append(int(folder.name))
    for member in family:
        rollup = (PROC / f"{member}/smaps_rollup").read_text()
        total += int(rollup.partition("\nPss:")[2].split(maxsplit=1)[0]) * 1024
        family += parents[member]
    return total


def table(found: dict[tuple[str, int], list[Start]]) -> str:
    """The figures of each peer in a row."""
    rows = []
    for peer in PEERS:
        starts = [found[peer.name, count] for count in COUNTS]
        times = [Spread.of([each.milliseconds for each in some]) for some in starts]
        memory = [Spread.of([each.mebibytes for each in some]) for some in starts]
        more = memory[1].median - memory[0].median
        cells = [f"{each:.0f}" for each in times] + [f"{each:.1f}" for each in memory]
        rows.append([peer.name, *cells, f"{more:.1f}"])
    return markdown(HEADINGS, rows)


async def imports() -> str:
    """What the time of ``import trioweb`` goes to, by package, in a table."""
    command = [sys.executable, "-X", "importtime", "-c", "import trioweb"]
    ran = await trio.run_process(
        command, capture_stderr=True, stdout=subprocess.DEVNULL
    )
    by_package: defaultdict[str, int] = defaultdict(int)
    for line in ran.stderr.decode().splitlines()[1:]:
        own, _, name = line.removeprefix("import time:").split("|")
        package = name.strip().partition(".")[0].lstrip("_")
        known = package in {"trioweb", "trio", "h11", "msgspec"}
        by_package[package if known else "others, mostly Python's own"] += int(own)
    rows = [
        [name, f"{micros / 1000:.0f}"]
        for name, micros in sorted(by_package.items(), key=lambda each: -each[1])
    ]
    return markdown(("import of", "ms (under -X importtime)"), rows)


if __name__ == "__main__":
    sys.exit(main())
