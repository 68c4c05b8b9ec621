"""Room for connections: a full server evicts the idle, waits, and never spins.

Rows S8 and E3 of the table of faults.
"""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
import trio
import trio.testing

from tests.clients.process import Server, serving
from trioweb.run.room import RESERVE, Room, affordable

PATH = "tests/apps/hoarder.py"
DESCRIPTORS = 160
CONNECTIONS = DESCRIPTORS - RESERVE


class Idle:
    """Connections of which some may be evicted, each after a second's goodbye."""

    def __init__(self, idle: int, leaving: trio.Nursery) -> None:
        self.idle = idle
        self.asked = 0
        self._leaving = leaving
        self.room = Room(3, self.evict)
        for _ in range(3):
            self.room.enter()

    def evict(self) -> bool:
        self.asked += 1
        if not self.idle:
            return False
        self.idle -= 1
        self._leaving.start_soon(self._leave)
        return True

    async def _leave(self) -> None:
        await trio.sleep(0.01)
        self.room.leave()


async def test_a_full_room_evicts_one_that_is_idle(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with trio.open_nursery() as leaving:
        full = Idle(2, leaving)
        assert full.room.free == 0
        await full.room.wait()
        assert (full.room.free, full.idle) == (1, 1)
        await full.room.wait()  # there is room: nobody goes
        assert full.idle == 1


async def test_a_room_without_idle_ones_waits_for_one_that_leaves(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with trio.open_nursery() as leaving:
        full = Idle(0, leaving)
        with trio.move_on_after(10) as patience:
            await full.room.wait()
        assert patience.cancelled_caught
        assert full.asked <= 101  # ten times a second, for one may be idle by now
        full.idle = 1
        with trio.fail_after(0.2):
            await full.room.wait()


async def test_two_who_wait_both_get_in(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with trio.open_nursery() as leaving:
        full = Idle(3, leaving)

        async def come() -> None:
            await full.room.wait()
            full.room.enter()

        with trio.fail_after(1):
            async with trio.open_nursery() as coming:
                coming.start_soon(come)
                coming.start_soon(come)


def test_there_are_never_more_than_there_are_descriptors_for() -> None:
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        for limit, most in ((RESERVE + 5, 5), (RESERVE - 1, 1), (RESERVE + 900, 900)):
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
            assert affordable(10_000) == most
            assert affordable(1) == 1
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# ------------------------------------------------------------------------- processes


@asynccontextmanager
async def poor() -> AsyncIterator[Server]:
    """A server that may have few descriptors."""
    command = f'ulimit -n {DESCRIPTORS}; exec "$0" "$@"'
    python = [sys.executable, PATH, "127.0.0.1:0"]
    with trio.fail_after(60):
        async with serving(["sh", "-c", command, *python]) as server:
            yield server


async def connected(server: Server) -> trio.SocketStream:
    host, _, port = server.url.removeprefix("http://").rpartition(":")
    return await trio.open_tcp_stream(host, int(port))


async def asked(stream: trio.SocketStream, path: str = "/") -> bytes:
    await stream.send_all(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return await answer(stream)


async def answer(stream: trio.SocketStream) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        piece = await stream.receive_some()
        assert piece, "it closed"
        received += piece
    return received


async def test_s8_newcomers_are_served_though_all_places_are_idle() -> None:
    async with poor() as server, AsyncExitStack() as opened:
        streams = []
        for _ in range(3 * CONNECTIONS):
            stream = await opened.enter_async_context(await connected(server))
            assert b" 200 " in await asked(stream)
            streams.append(stream)
        # The oldest have gone, without a word out of turn; the last are still there.
        assert await streams[0].receive_some() == b""
        assert b" 200 " in await asked(streams[-1])
        # And what a handler opens finds a descriptor.
        assert b" 200 " in await asked(streams[-1], "/file")


def cpu(pid: int) -> float:
    """Seconds of work of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="/proc counts work")
async def test_s8_a_server_whose_places_are_all_at_work_waits_and_does_not_spin() -> (
    None
):
    async with poor() as server, AsyncExitStack() as opened:
        for _ in range(CONNECTIONS):
            stream = await opened.enter_async_context(await connected(server))
            await stream.send_all(b"GET /sleep HTTP/1.1\r\nHost: x\r\n\r\n")
        late = await opened.enter_async_context(await connected(server))
        await late.send_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await trio.sleep(0.5)
        before = cpu(server.process.pid)
        await trio.sleep(2)
        assert cpu(server.process.pid) - before <= 0.05 * 2
        with trio.fail_after(2):
            assert b" 200 " in await answer(late)


async def test_s8_a_server_without_descriptors_says_so_once_and_recovers() -> None:
    async with poor() as server, AsyncExitStack() as opened:
        hoarding = await opened.enter_async_context(await connected(server))
        assert b" 200 " in await asked(hoarding, "/take")
        await hoarding.send_all(b"GET /give HTTP/1.1\r\nHost: x\r\n\r\n")
        await trio.sleep(0.3)  # at work by then, and not to be evicted
        late = await opened.enter_async_context(await connected(server))
        await late.send_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b" 200 " in await answer(hoarding)
        with trio.fail_after(1):
            assert b" 200 " in await answer(late)
        assert await server.stop() == 0
        assert server.said.count(b"no new connections for a moment") == 1
        assert b"Traceback" not in server.said
