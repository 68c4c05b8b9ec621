"""Behind the real nginx and HAProxy, by the very files that the pages show."""

from __future__ import annotations

import re
import signal
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
import trio

from tests.clients.process import ROOT, Program
from tests.deploy.fronts import free_port, fronted
from tests.run.cluster.crews import Crew, crewed, said, until

APP = ROOT / "tests/apps/proxied.py"

pytestmark = pytest.mark.parametrize(
    "front",
    [
        pytest.param(name, marks=pytest.mark.needs(name))
        for name in ("nginx", "haproxy")
    ],
)

LIES = {
    "x-forwarded-for": "6.6.6.6",
    "x-forwarded-proto": "http",
    "x-forwarded-host": "evil.example",
    "forwarded": "for=7.7.7.7",
    "x_forwarded_for": "8.8.8.8",
}


@dataclass(frozen=True, slots=True)
class Behind:
    """Somebody on the one side of a proxy, the workers on the other."""

    web: httpx2.AsyncClient
    crew: Crew
    proxy: Program


@asynccontextmanager
async def behind(
    front: str,
    directory: Path,
    *options: str,
    trusted: str = "127.0.0.1",
    path: Path | None = None,
) -> AsyncIterator[Behind]:
    """A proxy, workers behind it (at a Unix socket, if one is given), and who asks."""
    admin = free_port()
    command: list[str | Path] = [sys.executable, "-m", "trioweb", "run", APP]
    command += ["--workers=2", "--bind=127.0.0.1:0", f"--admin=127.0.0.1:{admin}"]
    command += [f"--trusted-proxies={trusted}"]
    command += [] if path is None else [f"--bind=unix:{path}"]
    env = {"KEPT": str(directory / "kept")}
    async with (
        crewed(program=[*command, *options], env=env) as crew,
        fronted(front, directory, _server(crew, path), admin) as proxy,
        httpx2.AsyncClient(
            base_url=f"https://localhost:{proxy.port}", verify=unverified()
        ) as web,
    ):
        yield Behind(web, crew, proxy.program)


def _server(crew: Crew, path: Path | None) -> str:
    return f"{crew.host}:{crew.port}" if path is None else f"unix:{path}"


def unverified() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@pytest.mark.parametrize("fields", [{}, LIES], ids=["honest", "lying"])
async def test_a7_everybody_sees_who_has_asked_the_proxy(
    front: str, fields: dict[str, str], tmp_path: Path
) -> None:
    async with behind(front, tmp_path) as it:
        answer = await it.web.get("/seen", headers=fields | {"host": "shop.example"})
        assert answer.json() == {
            "peer": "127.0.0.1",
            "url": "https://shop.example/seen",
        }
        assert answer.headers["set-cookie"].startswith("__Host-")
        assert "; Secure" in answer.headers["set-cookie"]
        assert await it.crew.server.stop() == 0
    # A connection has a port, whom a proxy speaks for has none.
    assert said(it.crew.server).splitlines()[-1].endswith(" ms 127.0.0.1")


async def test_a7_a_proxy_that_is_not_trusted_speaks_for_itself(
    front: str, tmp_path: Path
) -> None:
    async with behind(front, tmp_path, trusted="none") as it:
        answer = await it.web.get("/seen", headers={"host": "shop.example"})
        assert answer.json()["url"] == "http://shop.example/seen"
        assert not answer.headers["set-cookie"].startswith("__Host-")


async def test_a7_a_proxy_at_a_unix_socket_is_trusted_by_name(
    front: str, tmp_path: Path
) -> None:
    path = tmp_path / "s"
    async with behind(front, tmp_path, trusted="unix", path=path) as it:
        answer = await it.web.get("/seen", headers={"host": "shop.example"})
        assert answer.json()["peer"] == "127.0.0.1"
        assert answer.json()["url"] == "https://shop.example/seen"


async def test_another_protocol_passes_through(front: str, tmp_path: Path) -> None:
    async with behind(front, tmp_path) as it:
        stream = await trio.open_ssl_over_tcp_stream(
            "127.0.0.1", it.web.base_url.port or 0, ssl_context=unverified()
        )
        async with stream:
            await stream.send_all(
                b"GET /shout HTTP/1.1\r\nHost: a\r\n"
                b"Connection: Upgrade\r\nUpgrade: shout\r\n\r\n"
            )
            received = b""
            with trio.fail_after(20):
                while b"\r\n\r\n" not in received:
                    received += await stream.receive_some()
                assert received.startswith(b"HTTP/1.1 101 ")
                await stream.send_all(b"hello")
                assert await stream.receive_some() == b"HELLO"


async def test_connections_to_the_workers_are_kept(front: str, tmp_path: Path) -> None:
    async with behind(front, tmp_path, trusted="none") as it:
        for _ in range(20):
            assert (await it.web.get("/who")).status_code == 200
        assert await it.crew.server.stop() == 0
    # A proxy that is not trusted is the peer itself, whose port the log tells.
    ports = re.findall(
        r"GET /who 200 .* 127\.0\.0\.1:(\d+)$", said(it.crew.server), re.MULTILINE
    )
    assert len(ports) == 20
    assert len(set(ports)) <= 2


async def test_k4_reloading_under_load_fails_nobody(front: str, tmp_path: Path) -> None:
    async with behind(front, tmp_path, "--access-log=off") as it:
        await until(lambda: len(it.crew.workers()) == 2)
        statuses: list[int] = []
        async with trio.open_nursery() as loading:
            for number in range(8):
                loading.start_soon(load, it.web, number, statuses)
            for _ in range(2):
                await reloaded(it.crew)
            loading.cancel_scope.cancel(reason="enough")
        assert set(statuses) == {200}
        assert len(statuses) > 100
        assert b"DOWN" not in it.proxy.said
        assert await it.crew.stop() == 0


async def test_k4_what_a_proxy_has_kept_may_be_gone_when_it_asks_again(
    front: str, tmp_path: Path
) -> None:
    async with behind(front, tmp_path, "--access-log=off") as it:
        await until(lambda: len(it.crew.workers()) == 2)
        for number in range(2):
            answer = await it.web.post("/write", content=f"{number}")
            assert answer.status_code == 200
            await reloaded(it.crew)
        assert (await it.web.post("/write", content="2")).status_code == 200
        assert kept(tmp_path) == "0\n1\n2\n"


def kept(directory: Path) -> str:
    return (directory / "kept").read_text("utf-8")


async def reloaded(crew: Crew) -> None:
    """Reload, and wait until the old workers are gone."""
    before = crew.workers()
    crew.kill(crew.pid, signal.SIGHUP)
    await until(lambda: replaced(crew.workers(), before))


def replaced(workers: set[int], before: set[int]) -> bool:
    return len(workers) == 2 and not workers & before


async def load(web: httpx2.AsyncClient, number: int, statuses: list[int]) -> None:
    """Ask and write, one after the other, until cancelled."""
    while True:
        statuses.append((await web.get("/who")).status_code)
        statuses.append((await web.post("/write", content=f"{number}")).status_code)
