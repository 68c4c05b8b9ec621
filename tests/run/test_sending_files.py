"""Sending open files: what either transport on a plain socket says to it."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import trio
import trio.testing

from tests.run.crowds import ABORT
from trioweb.run.hub import Hub
from trioweb.run.sockets import SocketTransport, accepted
from trioweb.run.tls.hub import HubTLS
from trioweb.run.tls.streams import StreamTLS
from trioweb.testing.transport import memory_pair

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="sendfile is another call elsewhere"
)

MIB = 1 << 20
CONTENT = bytes(range(256)) * (MIB // 256)

both = pytest.mark.parametrize("portable", [False, True], ids=["hub", "portable"])


@dataclass(frozen=True)
class Sending:
    """Our end, the peer's, and the descriptor of an open file."""

    transport: SocketTransport
    peer: socket.socket
    source: int

    def send(self, at: int = 0, size: int = MIB) -> int:
        return self.transport.send_file_now(self.source, at, size)

    def fill(self) -> int:
        """Send until there is no more room: how much went."""
        sent = 0
        with suppress(trio.WouldBlock):
            while True:
                sent += self.send()
        return sent

    def empty(self) -> bytes:
        """What has come."""
        self.peer.setblocking(False)
        received = b""
        with suppress(BlockingIOError):
            while piece := self.peer.recv(1 << 16):
                received += piece
        return received


@asynccontextmanager
async def sending(tmp_path: Path, *, portable: bool) -> AsyncIterator[Sending]:
    path = tmp_path / "a"
    path.write_bytes(CONTENT)
    hub = Hub()
    async with trio.open_nursery() as hubs:
        hubs.start_soon(hub.run)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            peer = socket.create_connection(listener.getsockname())
            accept = accepted if portable else hub.accepted
            transport = accept(*listener.accept())
        with peer, path.open("rb", buffering=0) as file:
            yield Sending(transport, peer, file.fileno())
        transport.abort()
        hubs.cancel_scope.cancel()


@both
async def test_what_went_is_what_arrives(portable: bool, tmp_path: Path) -> None:
    async with sending(tmp_path, portable=portable) as there:
        assert there.transport.sends_files
        assert there.send(7, 1000) == 1000
        await trio.sleep(0.01)
        assert there.empty() == CONTENT[7:1007]
        assert there.transport.taken() == 1000


@both
async def test_at_its_end_nothing_goes(portable: bool, tmp_path: Path) -> None:
    async with sending(tmp_path, portable=portable) as there:
        assert there.send(MIB - 5) == 5
        assert there.send(MIB) == 0


@both
async def test_where_there_is_no_room_one_waits_for_some(
    portable: bool, tmp_path: Path
) -> None:
    async with sending(tmp_path, portable=portable) as there:
        sent = there.fill()
        assert sent > 0
        assert there.transport.taken() < sent
        with pytest.raises(trio.WouldBlock):
            there.send()
        received = 0
        with trio.fail_after(30):
            async with trio.open_nursery() as waiting:
                waiting.start_soon(there.transport.wait_send_all_might_not_block)
                await trio.testing.wait_all_tasks_blocked(0.01)
                with pytest.raises(trio.BusyResourceError):
                    there.send()
                while waiting.child_tasks:
                    received += len(there.empty())
                    await trio.sleep(0.001)
        assert received > 0
        assert there.send(0, 1) == 1


@both
async def test_what_cannot_be_sent_so_is_left_to_be_read(
    portable: bool, tmp_path: Path
) -> None:
    reader, writer = os.pipe()
    async with sending(tmp_path, portable=portable) as there:
        assert there.transport.send_file_now(reader, 0, 5) == 0
    os.close(reader)
    os.close(writer)


@both
async def test_a_reset_is_told(portable: bool, tmp_path: Path) -> None:
    async with sending(tmp_path, portable=portable) as there:
        there.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
        there.peer.close()
        await trio.sleep(0.05)
        with pytest.raises(trio.BrokenResourceError):
            there.send()


@both
async def test_after_the_end_nothing_is_sent(portable: bool, tmp_path: Path) -> None:
    async with sending(tmp_path, portable=portable) as there:
        await there.transport.send_eof()
        with pytest.raises(trio.ClosedResourceError):
            there.send()
    with pytest.raises(trio.ClosedResourceError):
        there.send()


def test_what_is_encrypted_passes_through_us() -> None:
    assert not HubTLS.sends_files
    assert not StreamTLS.sends_files


def test_in_memory_nothing_goes_so() -> None:
    ours, _ = memory_pair()
    assert not ours.sends_files
    assert ours.send_file_now(0, 0, 1) == 0
