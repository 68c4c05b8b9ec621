"""systemd: what it is told, and the sockets it passes, as real processes see it."""

from __future__ import annotations

import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from tests.clients.process import ROOT
from tests.run.cluster.crews import APP, PATIENCE
from tests.run.control.homes import home
from trioweb import Config
from trioweb.run.listeners import BindError
from trioweb.run.settings import Setting, Settled
from trioweb.run.systemd import activated, notifier, passed

# Starts a server as systemd does: the socket is descriptor 3, and its pid is told.
_AS_SYSTEMD = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ["LISTEN_PID"] = str(os.getpid())
os.environ["LISTEN_FDS"] = "1"
os.environ["LISTEN_FDNAMES"] = "http"
os.execv(sys.executable, [sys.executable, "-m", "trioweb", "run", *sys.argv[2:]])
"""


class Told:
    """systemd's end: the datagrams that come."""

    def __init__(self, path: Path) -> None:
        self.socket = trio.socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.path = path
        self.heard: list[str] = []

    async def until(self, pattern: str) -> str:
        """What was told next that matches."""
        with trio.fail_after(PATIENCE):
            while True:
                said = (await self.socket.recv(4096)).decode()
                self.heard.append(said)
                if re.match(pattern, said):
                    return said


@asynccontextmanager
async def listening(directory: Path) -> AsyncIterator[Told]:
    told = Told(directory / "notify")
    with told.socket:
        await told.socket.bind(str(told.path))
        yield told


@asynccontextmanager
async def service(
    told: Told, sock: socket.socket, *options: str
) -> AsyncIterator[trio.Process]:
    """A server that systemd has started, which has ended with the block."""
    words = [str(sock.fileno()), str(APP), "--access-log", "off", *options]
    process = await trio.lowlevel.open_process(
        [sys.executable, "-c", _AS_SYSTEMD, *words],
        pass_fds=[sock.fileno()],
        cwd=ROOT,
        stderr=-3,  # DEVNULL
        env={
            **os.environ,
            "NOTIFY_SOCKET": str(told.path),
            "WATCHDOG_USEC": "400000",
            "XDG_RUNTIME_DIR": str(told.path.parent),
        },
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        with trio.CancelScope(shield=True):
            await process.wait()


def bound() -> socket.socket:
    sock = socket.create_server(("127.0.0.1", 0))
    sock.set_inheritable(True)
    return sock


async def ask(sock: socket.socket, path: str) -> bytes:
    host, port = sock.getsockname()
    received = b""
    async with await trio.open_tcp_stream(host, port) as stream:
        request = f"GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
        await stream.send_all(request.encode())
        async for piece in stream:
            received += piece
    return received


@pytest.mark.parametrize("options", [(), ("--workers", "2")], ids=["one", "workers"])
async def test_it_is_told_of_a_whole_life_on_its_socket(
    options: tuple[str, ...],
) -> None:
    with home() as directory, bound() as sock:
        async with listening(directory) as told, service(told, sock, *options) as it:
            await told.until("READY=1$")
            assert b"200 OK" in await ask(sock, "/who")
            if options:
                it.send_signal(signal.SIGHUP)
                assert re.fullmatch(
                    r"RELOADING=1\nMONOTONIC_USEC=\d+", await told.until("RELOADING")
                )
                await told.until("READY=1$")
                assert "STATUS=2 of 2 workers ready" in told.heard
            for _ in range(2):
                await told.until("WATCHDOG=1$")
            it.terminate()
            await told.until("STOPPING=1$")
            with trio.fail_after(PATIENCE):
                assert await it.wait() == 0


async def test_one_that_is_not_healthy_gives_no_sign_of_life() -> None:
    with home() as directory, bound() as sock:
        async with listening(directory) as told, service(told, sock) as it:
            await told.until("WATCHDOG=1$")
            it.send_signal(signal.SIGSTOP)  # as stuck as can be
            with trio.move_on_after(1):
                while True:
                    told.heard.clear()
                    await told.until("WATCHDOG=1$")
            assert told.heard == []
            it.send_signal(signal.SIGCONT)
            await told.until("WATCHDOG=1$")


async def test_other_places_to_listen_are_refused_beside_a_passed_socket() -> None:
    with home() as directory, bound() as sock:
        async with (
            listening(directory) as told,
            service(told, sock, "--bind", "127.0.0.1:0") as it,
        ):
            with trio.fail_after(PATIENCE):
                assert await it.wait() == 1


def test_nobody_is_told_where_nobody_asks() -> None:
    silent = notifier({})
    assert not silent
    silent.ready()
    silent.status("well")


def test_what_it_says_is_taken_out_of_the_environment() -> None:
    environment = {
        "NOTIFY_SOCKET": "@abstract",
        "WATCHDOG_USEC": "3000000",
        "WATCHDOG_PID": str(os.getpid()),
        "PATH": "/bin",
    }
    told = notifier(environment)
    assert told
    assert told.interval == 3
    assert environment == {"PATH": "/bin"}
    told.ready()  # nobody is there; nobody waits


WATCHDOGS = [
    ("of another process", {"WATCHDOG_USEC": "1", "WATCHDOG_PID": "1"}),
    ("nonsense", {"WATCHDOG_USEC": "-5"}),
    ("zero", {"WATCHDOG_USEC": "0"}),
    ("none", {}),
]


@pytest.mark.parametrize(
    "environment", [row[1] for row in WATCHDOGS], ids=[row[0] for row in WATCHDOGS]
)
def test_no_watchdog(environment: dict[str, str]) -> None:
    assert notifier({"NOTIFY_SOCKET": "/x", **environment}).interval is None


async def test_an_abstract_address_is_reached() -> None:
    name = f"trioweb-test-{os.getpid()}"
    with trio.socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        await told.bind(f"\0{name}")
        there = notifier({"NOTIFY_SOCKET": f"@{name}"})
        there.status("one line")
        there.status("one line")  # which has not changed
        there.stopping()
        assert await told.recv(99) == b"STATUS=one line"
        assert await told.recv(99) == b"STOPPING=1"


def test_a_systemd_that_does_not_read_holds_up_nobody() -> None:
    with home() as directory, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
        deaf.bind(str(directory / "deaf"))
        told = notifier({"NOTIFY_SOCKET": str(directory / "deaf")})
        for number in range(5000):
            told.status(str(number))


OURS = str(os.getpid())
PASSED = [
    ("two", {"LISTEN_PID": OURS, "LISTEN_FDS": "2"}, ("fd:3", "fd:4")),
    ("of a parent", {"LISTEN_PID": "1", "LISTEN_FDS": "2"}, ()),
    ("without a process", {"LISTEN_FDS": "2"}, ()),
    ("none", {"LISTEN_PID": OURS, "LISTEN_FDS": "0"}, ()),
    ("nothing", {}, ()),
]


@pytest.mark.parametrize(
    ("environment", "binds"), [r[1:] for r in PASSED], ids=[r[0] for r in PASSED]
)
def test_passed_sockets(environment: dict[str, str], binds: tuple[str, ...]) -> None:
    environment = {**environment, "LISTEN_FDNAMES": "a:b"}
    assert passed(environment) == binds
    assert environment == {}


@pytest.mark.parametrize("count", ["many", "-1", "99999999999999999999", "²"])
def test_a_number_of_sockets_that_cannot_be_is_refused(count: str) -> None:
    with pytest.raises(BindError, match="LISTEN_FDS"):
        passed({"LISTEN_PID": OURS, "LISTEN_FDS": count})


def test_passed_sockets_count_for_more_than_the_program_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = Config(bind=("localhost:1",))
    assert activated(Settled(config, {})) is config
    monkeypatch.setenv("LISTEN_PID", OURS)
    monkeypatch.setenv("LISTEN_FDS", "1")
    assert activated(Settled(config, {})).bind == ("fd:3",)
    monkeypatch.setenv("LISTEN_PID", OURS)
    monkeypatch.setenv("LISTEN_FDS", "1")
    given = {"bind": Setting("bind", config.bind, "--bind")}
    with pytest.raises(BindError, match="and --bind names others"):
        activated(Settled(config, given))
