"""HTTPS by workers: their supervisor binds, and they alone read the certificates."""

from __future__ import annotations

import dataclasses
import json
import os
import pickle
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from tests.clients.process import ROOT, Server, serving, started
from tests.run.cluster.crews import PATIENCE, by_workers, children, said, until
from tests.run.test_identity import opened, reachable, root
from tests.run.tls.meeting import SERVER, Place, rest
from tests.run.tls.test_renewal import Files, shows
from trioweb.message.site import Site
from trioweb.run.cluster.renewal import renewed
from trioweb.run.cluster.worker import Order
from trioweb.run.config import Config
from trioweb.run.tls.config import TLS


@asynccontextmanager
async def crew(
    files: Files, *options: str | Path, before: tuple[str | Path, ...] = ()
) -> AsyncIterator[tuple[Server, Place]]:
    """Two workers that serve HTTPS by *files*, and where plain HTTP is redirected."""
    command = [*before, *by_workers(*options)]
    command += ["--certfile", files.cert, "--keyfile", files.key]
    command += ["--tls-redirect", "127.0.0.1:0"]
    async with serving(command) as server:
        https, plain = re.findall(r"https?://127\.0\.0\.1:(\d+)", said(server))
        found = Place(int(https), [], int(plain))
        await everybody(found)
        yield server, found
        if server.process.returncode is None:
            assert await server.stop() == 0


async def everybody(found: Place) -> None:
    """Wait for both workers.

    The server says that it serves when the first does: the other may be about to read
    its certificates, and would end if they were changed under its hands.
    """
    pids: set[int] = set()
    with trio.fail_after(PATIENCE):
        while len(pids) < 2:
            _, _, body = (await found.asked("/who")).partition(b"\r\n\r\n")
            pids.add(json.loads(body)["pid"])


async def test_workers_serve_https_and_send_plain_http_there(tmp_path: Path) -> None:
    files = Files(tmp_path)
    async with crew(files) as (_, found):
        for _ in range(8):
            stream = await trio.open_tcp_stream("127.0.0.1", found.redirect)
            async with stream:
                await stream.send_all(b"GET /who HTTP/1.0\r\nHost: localhost\r\n\r\n")
                answer = await rest(stream)
            location = f"location: https://localhost:{found.port}/who\r\n"
            assert location.encode() in answer


async def test_t5_workers_renew_their_certificates_by_themselves(
    tmp_path: Path,
) -> None:
    files = Files(tmp_path)
    async with crew(files, "--set", "tls.look=0.05") as (server, found):
        workers = children(server.process.pid)
        files.put("renewed")
        for _ in range(8):
            await shows(found, "renewed")
        assert children(server.process.pid) == workers


async def test_t5_a_reload_with_a_bad_file_leaves_the_old_workers(
    tmp_path: Path,
) -> None:
    files = Files(tmp_path)
    async with crew(files, "--set", "tls.look=1000") as (server, found):
        files.tear()
        os.kill(server.process.pid, signal.SIGHUP)
        await until(lambda: "the old ones serve on" in said(server))
        assert "cert.pem and " in said(server)
        await shows(found, "server")


@pytest.mark.parametrize("workers", ["none", "2"])
async def test_a_bad_file_at_the_start_is_one_line(
    tmp_path: Path, workers: str
) -> None:
    command = [*by_workers(workers=workers), "--certfile", tmp_path / "nowhere.pem"]
    async with started(command) as program:
        with trio.fail_after(20):
            assert await program.process.wait() == 1
        await until(lambda: b"nowhere.pem cannot be read: No such file" in program.said)
        assert b"Traceback" not in program.said


@root
async def test_o3_a_key_for_root_alone_serves_workers_that_are_somebody_else() -> None:
    with reachable() as place:
        files = Files(place)
        files.key.chmod(0o600)
        before = tuple(opened(place / "python"))
        async with started(["unshare", "-m", "true"]) as program:
            if before and await program.process.wait() != 0:
                pytest.skip("nobody reaches the interpreter")
        user = ("--user", "nobody", "--set", "tls.look=0.05")
        async with crew(files, *user, before=before) as (server, found):
            await shows(found, "server")
            workers = children(server.process.pid)
            # They cannot read it again: others come in their place, who could.
            files.put("renewed")
            for _ in range(8):
                await shows(found, "renewed")
            # But for one, which multiprocessing keeps beside them.
            await until(lambda: len(workers & children(server.process.pid)) < 2)


def test_o3_what_a_worker_is_told_holds_no_key(tmp_path: Path) -> None:
    config = Config(tls=SERVER)
    site = Site(workers=1, worker=0, directory=tmp_path)
    told = pickle.dumps(Order("app.py", config, site))
    key = (ROOT / "tests/clients/tls/server.key").read_text("ascii").splitlines()[1]
    assert key.encode() not in told
    assert b"server.key" in told


OLD = Config(tls=TLS("a.pem", redirect=(":80",), port=443))


def test_a_reload_takes_other_certificates_and_leaves_what_is_spoken_where() -> None:
    now = Config(tls=TLS("b.pem", redirect=(":81",), minimum="1.3"))
    config = renewed(OLD, lambda: now)
    assert config.tls == dataclasses.replace(now.tls, redirect=(":80",), port=443)
    other = dataclasses.replace(now, tls=dataclasses.replace(now.tls, port=8443))
    assert renewed(OLD, lambda: other).tls.port == 8443


def test_https_is_not_switched_on_or_off_by_a_reload(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert renewed(OLD, Config).tls == OLD.tls
    assert "by a restart" in caplog.text
    assert renewed(Config(), lambda: OLD).tls == Config().tls
