"""The control socket of a real server, and peers that mean harm or know no better."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest
import trio

from tests.run.cluster.crews import Crew
from tests.run.control.homes import found, home
from trioweb.run.control.protocol import LONGEST_REQUEST
from trioweb.run.control.service import PATIENCE, PEERS

Reply = dict[str, object]


def crew_socket(directory: Path) -> str:
    return str(directory / "trioweb/crew.sock")


async def replies(path: str, sent: bytes) -> list[Reply]:
    """What a peer is answered that sends so much; nothing if it is hung up on."""
    received = b""
    with trio.fail_after(PATIENCE + 10):
        async with await trio.open_unix_socket(path) as peer:
            try:
                await peer.send_all(sent)
                async for piece in peer:
                    received += piece
            except trio.BrokenResourceError:
                pass
    return [json.loads(line) for line in received.splitlines()]


NONSENSE = [
    (b"garbage", b"garbage\n"),
    (b"no such request", b'{"type":"Format"}\n'),
    (b"no type", b"{}\n"),
    (b"another type", b'{"type":"Scale","size":"many"}\n'),
    (b"a list", b"[[[[[[]]]]]]\n"),
    (b"deep", b"[" * 4000 + b"\n"),
    (b"NUL", b"\0\n"),
    (b"nothing", b"\n"),
]

CUT = [
    (b"two requests", b'{"type":"List"}\n{"type":"Stop"}\n'),
    (b"a line that is too long", b"x" * (LONGEST_REQUEST + 1) + b"\n"),
    (b"1 MB", b"x" * 1_000_000 + b"\n"),
]


async def check_that_it_answers(crew: Crew, path: str) -> None:
    with trio.fail_after(5):
        listing, done = await replies(path, b'{"type":"List"}\n')
    assert listing["pid"] == crew.pid
    assert done["type"] == "Done"


async def test_o6_nonsense_is_refused_and_costs_nobody_else_anything() -> None:
    with home() as directory:
        async with found(directory, "--access-log", "human") as crew:
            await crew.everybody(2)
            path = crew_socket(directory)
            for name, sent in NONSENSE:
                (refused,) = await replies(path, sent)
                assert refused["type"] == "Refused", name
            for name, sent in CUT:
                assert await replies(path, sent) == [], name
            await check_that_it_answers(crew, path)
            await silent_peers(crew, path)
            assert await crew.stop() == 0


async def silent_peers(crew: Crew, path: str) -> None:
    """Those who do not send, send half, or do not read are hung up on in time."""
    async with trio.open_nursery() as peers:
        for sent in (b"", b'{"type":', b"x" * LONGEST_REQUEST):

            async def silent(sent: bytes = sent) -> None:
                assert await replies(path, sent) == []

            peers.start_soon(silent)
        peers.start_soon(deaf, crew, path)
        await trio.sleep(0.2)
        await check_that_it_answers(crew, path)


async def deaf(crew: Crew, path: str) -> None:
    """Follow the log, and read nothing of it."""
    async with await trio.open_unix_socket(path) as peer:
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        await peer.send_all(b'{"type":"Logs","follow":true}\n')
        for _ in range(20):
            await crew.who()
        assert (await crew.who())["pid"]


async def test_o6_no_more_than_so_many_are_answered_at_a_time() -> None:
    with home() as directory:
        async with found(directory, workers=1) as crew:
            await crew.everybody(1)
            path = crew_socket(directory)
            waiting = [await trio.open_unix_socket(path) for _ in range(PEERS)]
            for peer in waiting:
                await peer.send_all(b'{"type":')
            (refused,) = await replies(path, b"")
            assert "too many" in str(refused["reason"])
            assert (await crew.who())["pid"]
            for peer in waiting:
                await peer.aclose()
            with trio.fail_after(5):
                while not await answers(path):  # noqa: ASYNC110  # no event tells
                    await trio.sleep(0.05)
            assert await crew.stop() == 0


async def answers(path: str) -> bool:
    return (await replies(path, b'{"type":"List"}\n'))[-1]["type"] == "Done"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
async def test_o6_another_user_cannot_connect() -> None:
    with home() as directory:
        async with found(directory, workers=1) as crew:
            await crew.everybody(1)
            path = crew_socket(directory)
            assert connects_as_nobody(path) == 13
            # Nor is it answered where somebody has let it in by accident.
            for each in (directory, directory / "trioweb", Path(path)):
                each.chmod(0o777)
            assert connects_as_nobody(path) == 0
            assert await crew.stop() == 0


def connects_as_nobody(path: str) -> int:
    """The errno with which another user fails to connect; 0 if it was told off."""
    pid = os.fork()
    if pid == 0:
        code = 99
        try:
            os.setgid(65534)
            os.setuid(65534)
            with socket.socket(socket.AF_UNIX) as peer:
                peer.settimeout(5)
                peer.connect(path)
                code = 0 if b"another user" in peer.recv(4096) else 98
        except OSError as error:
            code = error.errno or 97
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)
