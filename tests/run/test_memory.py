"""Back-pressure in a process of its own: what it holds, and what it lets its peers do.

With TESTS_LONG=1 in the environment the slow reader reads all of its GiB: a minute.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import trio

from tests.clients.process import Server, by_python, serving

PATH = "tests/apps/probe.py"
MIB = 1 << 20  # bytes

# A slow reader: 256 KiB every 10 ms, 25 MiB a second.
PIECE = 256 * 1024
EVERY = 0.01

# Seconds of reading.  The server that holds what is not read shows it within the first.
LONG = bool(os.environ.get("TESTS_LONG"))
READING = 150 if LONG else 4

# What the process may grow by: its own buffers, and what the allocator keeps.
GROWTH = 8 * MIB

linux = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="/proc says how much a process holds"
)


def held(server: Server) -> int:
    """Resident memory of the server, bytes."""
    status = Path(f"/proc/{server.process.pid}/status").read_text("ascii")
    (line,) = [line for line in status.splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) * 1024


async def connected(server: Server) -> trio.SocketStream:
    host, _, port = server.url.removeprefix("http://").rpartition(":")
    return await trio.open_tcp_stream(host, int(port))


async def asked(server: Server, pieces: int) -> trio.SocketStream:
    """A connection on which a stream of so many KiB has been asked for, and no more."""
    stream = await connected(server)
    head = b"GET /stream/%d HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    await stream.send_all(head % pieces)
    return stream


@linux
async def test_a_stream_of_a_gib_to_a_slow_reader_holds_little() -> None:
    async with serving(by_python(PATH)) as server:
        # What a process needs once, it has after the first stream.
        async with await asked(server, 1024) as stream:
            while await stream.receive_some(PIECE):
                pass
        before, most, read = held(server), 0, 0
        ended = False
        async with await asked(server, 1024 * 1024) as stream:
            until = trio.current_time() + READING
            while not ended and trio.current_time() < until:
                piece = await stream.receive_some(PIECE)
                ended = not piece
                read += len(piece)
                most = max(most, held(server))
                await trio.sleep(EVERY)
        assert ended or not LONG
        assert read > 4 * MIB
        assert most - before <= GROWTH


@linux
async def test_a_reader_that_stops_stops_the_writer() -> None:
    async with serving(by_python(PATH)) as server, await asked(server, 1024 * 1024):
        before = held(server)
        # 2 s of reading nothing: a server that went on would have written it all.
        await trio.sleep(2)
        assert held(server) - before <= GROWTH


@linux
async def test_an_upload_that_nobody_reads_stops_its_sender() -> None:
    """It gets rid of no more than the sockets hold, while the handler sleeps."""
    async with serving(by_python(PATH)) as server, await connected(server) as stream:
        before, sent = held(server), 0
        length = 512 * MIB
        head = b"GET /sleep/60 HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
        await stream.send_all(head % length)
        with trio.move_on_after(2) as patience:
            while True:
                await stream.send_all(bytes(64 * 1024))
                sent += 64 * 1024
        assert patience.cancelled_caught
        assert sent < 32 * MIB
        assert held(server) - before <= GROWTH
