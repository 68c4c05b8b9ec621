"""What WebSockets cost: the command at its smallest, and what it says."""

from __future__ import annotations

import argparse
import doctest
import io
import socket
from collections import Counter

import pytest
import trio

from benchmarks.load import LoadFailed
from benchmarks.peer import Peer
from benchmarks.programs import by_module
from benchmarks.progress import Progress
from benchmarks.websockets import shares as its_shares
from benchmarks.websockets.__main__ import told
from benchmarks.websockets.peers import PEERS, TRIOWEB
from benchmarks.websockets.rounds import (
    MESSAGES,
    Measured,
    Message,
    measure_all,
    shares,
)

OPTIONS = argparse.Namespace(rounds=2, seconds=1.0, members=10)


async def test_ours_is_measured_in_everything_that_is_compared() -> None:
    measured = await measure_all(
        [TRIOWEB], Progress(io.StringIO()), rounds=1, seconds=0.05, members=20
    )
    for message in MESSAGES:
        assert measured.spread(message.name, "trioweb", "rate").least > 0
        assert measured.spread(message.name, "trioweb", "rss").least > 2**20
    assert measured.held.keys() == {"trioweb"}
    assert min(measured.casts["trioweb"]) > 0


async def test_it_is_known_in_whose_code_the_time_is_spent() -> None:
    counts = await shares(Message("125 B", 125, 8), 0.5)
    assert counts.keys() & {"trio", "trio_websocket", "wsproto"}


def test_an_owner_is_known_by_the_file() -> None:
    assert doctest.testmod(its_shares).failed == 0
    assert its_shares.owner("<attrs generated init trio._core.Scope>") == "trio"


async def test_a_server_that_is_none_is_not_measured() -> None:
    # It takes connections, and lets each wait; then it is no longer there.
    silent = Peer(
        name="silent",
        command=("{python}", "-m", "http.server", "--bind", "127.0.0.1", "{port}"),
        version=("true",),
    )
    with pytest.raises(LoadFailed, match="idle of 125 bytes by silent"):
        await measure_all(
            [silent], Progress(io.StringIO()), rounds=1, seconds=0, members=10
        )


async def test_an_answer_that_is_no_echo_is_found_out() -> None:
    # Each answers with one byte too many, and begins with another one.
    for answer, found in ((b"\x81\x0201!", "longer"), (b"\x82\x0201", "began with")):
        with socket.create_server(("127.0.0.1", 0)) as listening:
            port = listening.getsockname()[1]
            command = by_module("benchmarks.websockets.pump", "echo", port, 1, 1, 2, 1)
            async with trio.open_nursery() as answering:
                answering.start_soon(
                    trio.to_thread.run_sync, _answer, listening, answer
                )
                ran = await trio.run_process(command, check=False, capture_stderr=True)
        assert ran.returncode
        assert found in ran.stderr.decode()


def _answer(listening: socket.socket, answer: bytes) -> None:
    line, _ = listening.accept()
    with line:
        while not line.recv(1000).endswith(b"\r\n\r\n"):
            pass
        line.sendall(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
        line.recv(1000)
        line.sendall(answer)
        line.recv(1000)


def test_what_is_told_has_every_server_and_what_it_costs() -> None:
    found = {"rate": 1000.0, "p50": 1.0, "p99": 2.0, "rss": 2.0**20}
    measured = Measured()
    for times, peer in enumerate(PEERS, 1):
        measured.held[peer.name] = 2048.0 * times
        measured.casts[peer.name] = [3.0 * times, 5.0 * times]
        for message in MESSAGES:
            measured.echoes[message.name, peer.name] = [
                {**found, "processor": 100.0 / times},
                {**found, "processor": 120.0 / times},
            ]
    spent = {"125 B": Counter({"trio": 60, "wsproto": 39, "json": 1})}
    text = told(OPTIONS, "their versions", PEERS, measured, spent)
    assert "110.0 (100.0–120.0)" in text
    assert "5.00 (5.00–5.00)" in text
    assert "10.0" in text
    assert "trio 60%, wsproto 39%" in text
    assert "json" not in text
    assert all(text.count(f" {peer.name} ") >= 4 for peer in PEERS)
