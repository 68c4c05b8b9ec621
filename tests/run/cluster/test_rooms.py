"""Rooms over real workers: each member hears each message once, whoever is killed.

Each message is its sender and a number, so that what was heard twice, out of order or
not at all shows by itself.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trio
from trio_websocket import ConnectionClosed, WebSocketConnection, wrap_client_stream

from tests.clients.process import ROOT
from tests.run.cluster.crews import PATIENCE, Crew, crewed


@asynccontextmanager
async def gathering(workers: int = 2) -> AsyncIterator[Crew]:
    command: list[str | Path] = [sys.executable, "-m", "trioweb", "run"]
    command += [ROOT / "tests/apps/rooms.py", "--workers", str(workers)]
    command += ["--bind", "127.0.0.1:0", "--access-log", "off"]
    async with crewed(program=command) as crew:
        await crew.everybody(workers)
        yield crew


@dataclass
class Guest:
    """Somebody in a room, and what was heard there."""

    ws: WebSocketConnection
    pid: int  # of the worker that has the connection
    heard: list[str | bytes] = field(default_factory=list)

    async def hear(self, count: int) -> None:
        """Hear so many more messages."""
        with trio.fail_after(PATIENCE):
            for _ in range(count):
                self.heard.append(await self.ws.get_message())

    async def say(self, *texts: str) -> None:
        for text in texts:
            await self.ws.send_message(text)


@asynccontextmanager
async def guest(crew: Crew, *, of: int | None = None) -> AsyncIterator[Guest]:
    """Somebody in the room "tea", by way of that worker if one is named."""
    while True:
        async with (
            # The library leaves a stream open whose other end closes first.
            await trio.open_tcp_stream(crew.host, crew.port) as stream,
            trio.open_nursery() as reading,
        ):
            ws = await wrap_client_stream(reading, stream, crew.host, "/join/tea")
            with trio.fail_after(PATIENCE):
                found = Guest(ws, int(await ws.get_message()))
            if of in {None, found.pid}:
                yield found
            await ws.aclose()
            reading.cancel_scope.cancel(reason="the guest has left")
        if of in {None, found.pid}:
            return


def told_by(name: str, heard: list[str | bytes]) -> list[str]:
    """What *name* said, as it was heard."""
    return [str(text) for text in heard if str(text).startswith(f"{name} ")]


async def test_each_hears_each_message_once_and_each_sender_in_order() -> None:
    async with gathering() as crew, AsyncExitStack() as stack:
        pids = sorted(await crew.everybody(2)) * 2
        guests = [await stack.enter_async_context(guest(crew, of=pid)) for pid in pids]
        said = [[f"{name} {number}" for number in range(200)] for name in range(4)]
        async with trio.open_nursery() as talking:
            for each, texts in zip(guests, said, strict=True):
                talking.start_soon(each.say, *texts)
                talking.start_soon(each.hear, 800)
        for each in guests:
            for name, texts in enumerate(said):
                assert told_by(str(name), each.heard) == texts
        await guests[0].ws.send_message("안녕".encode())
        await guests[1].hear(1)
        assert guests[1].heard[-1] == "안녕".encode()
        assert await crew.stop() == 0


async def test_a_killed_worker_takes_its_members_along_and_nobody_else() -> None:
    async with gathering() as crew:
        first, second = sorted(await crew.everybody(2))
        async with guest(crew, of=second) as stays, guest(crew, of=second) as other:
            async with guest(crew, of=first) as goes:
                await goes.say("1 before")
                await stays.hear(1)
                crew.kill(first)
                with pytest.raises(ConnectionClosed):
                    await goes.hear(2)  # one is its own
            await other.say("2 after")
            await stays.hear(1)
            await crew.everybody(2, but={first})
            async with guest(crew) as comes:
                await comes.say("3 again")
                await stays.hear(1)
            assert stays.heard == ["1 before", "2 after", "3 again"]
        assert await crew.stop() == 0


async def test_a_reload_says_goodbye_to_every_member() -> None:
    async with gathering() as crew:
        before = await crew.everybody(2)
        async with AsyncExitStack() as stack:
            guests = [
                await stack.enter_async_context(guest(crew, of=pid))
                for pid in sorted(before)
            ]
            crew.kill(crew.pid, signal.SIGHUP)
            for each in guests:
                with pytest.raises(ConnectionClosed) as closed:
                    await each.hear(1)
                assert closed.value.reason is not None
                assert closed.value.reason.code == 1001
        await crew.everybody(2, but=before)
        async with guest(crew) as comes:
            assert comes.pid not in before
            await comes.say("1 again")
            await comes.hear(1)
        assert await crew.stop() == 0


HANDSHAKE = (
    b"GET /join/tea HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\n"
    b"upgrade: websocket\r\nsec-websocket-version: 13\r\n"
    b"sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


async def test_who_reads_nothing_delays_nobody_and_is_disconnected() -> None:
    async with (
        gathering() as crew,
        guest(crew) as one,
        await narrow(crew) as stuck,
    ):
        await stuck.send_all(HANDSHAKE)
        await stuck.receive_some(1000)
        await until_members(crew, 2)
        # More than the system keeps for who does not read, and 64 that wait beside.
        texts = [f"{number} " + "x" * 60_000 for number in range(150)]
        for text in texts:
            await one.say(text)
            await one.hear(1)
        assert one.heard == texts
        await until_members(crew, 1)
        assert await crew.stop() == 0


async def narrow(crew: Crew) -> trio.SocketStream:
    """A connection on whose way to us little is kept."""
    sock = trio.socket.socket()
    sock.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_RCVBUF, 4096)
    await sock.connect((crew.host, crew.port))
    return trio.SocketStream(sock)


async def until_members(crew: Crew, count: int) -> None:
    """Wait until so many are in the room, over both workers."""
    members: dict[object, int] = {}
    with trio.fail_after(PATIENCE):
        while len(members) < 2 or sum(members.values()) != count:
            found = await crew.who()
            members[found["pid"]] = int(str(found["members"]))
            await trio.sleep(0.01)
