"""Renewal: new certificates for new handshakes, and none that fails for it."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import trio

from tests.clients.process import serving
from tests.run.crowds import until
from tests.run.tls.meeting import Place, pem, place
from trioweb import Request, Response
from trioweb.run.tls.certificates import Certificates
from trioweb.run.tls.config import TLS
from trioweb.run.tls.files import tell_changes


async def handler(request: Request) -> Response:
    return Response(200, body=b"here")


class Files:
    """A certificate and its key, which are written again and again."""

    def __init__(self, directory: Path) -> None:
        self.cert = directory / "cert.pem"
        self.key = directory / "key.pem"
        self.put("server")

    @property
    def tls(self) -> TLS:
        return TLS(str(self.cert), str(self.key), look=0.01)

    def put(self, name: str, key: str | None = None) -> None:
        """Write the pair *name*, or one that does not belong together, in place."""
        shutil.copyfile(pem(f"{name}.pem"), self.cert)
        shutil.copyfile(pem(f"{key or name}.key"), self.key)

    def tear(self) -> None:
        """Leave half of a certificate, as one who is still writing it."""
        whole = Path(pem("renewed.pem")).read_bytes()
        self.cert.write_bytes(whole[: len(whole) // 2])

    def spoil(self) -> None:
        """Make the key one that cannot be used."""
        self.key.write_bytes(bytes(self.key.stat().st_size))

    def mend(self) -> None:
        """Make it well, so that the file looks as it did."""
        before = self.key.stat()
        shutil.copyfile(pem("renewed.key"), self.key)
        assert self.key.stat().st_size == before.st_size
        os.utime(self.key, ns=(before.st_atime_ns, before.st_mtime_ns))


async def shown(found: Place) -> str:
    """Whose certificate a new handshake shows."""
    async with await found.connect() as peer:
        told = peer.getpeercert()
        return str(told["subject"][0][0][1])


async def shows(found: Place, name: str) -> None:
    """Shake hands until the certificate is that of *name*."""
    with trio.fail_after(20):
        while await shown(found) != name:  # noqa: ASYNC110  # no event tells
            await trio.sleep(0.01)


async def test_t5_new_handshakes_get_the_new_one_and_connections_go_on(
    tmp_path: Path,
) -> None:
    files = Files(tmp_path)
    async with place(handler, files.tls) as found, await found.connect() as old:
        files.put("renewed")
        await shows(found, "renewed")
        await old.send_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await old.receive_some()).startswith(b"HTTP/1.1 200")


BAD: list[Callable[[Files], object]] = [
    lambda files: files.put("renewed", "server"),
    lambda files: files.cert.unlink(),
    Files.tear,
    lambda files: files.cert.write_bytes(b""),
]


async def test_t5_a_hundred_renewals_half_of_them_bad_fail_no_handshake(
    tmp_path: Path,
) -> None:
    files = Files(tmp_path)
    handshakes = 0
    async with place(handler, files.tls) as found:

        async def load() -> None:
            nonlocal handshakes
            while True:
                assert b"here" in await found.asked()
                handshakes += 1

        async with trio.open_nursery() as crowd:
            for _ in range(3):
                crowd.start_soon(load)
            for number in range(50):
                said = len(found.logs)
                BAD[number % len(BAD)](files)
                await until(lambda said=said: len(found.logs) > said)  # type: ignore[misc]  # it is bound now
                name = "renewed" if number % 2 else "server"
                files.put(name)
                await shows(found, name)
            crowd.cancel_scope.cancel()
        told = [record.getMessage() for record in found.logs]
    assert handshakes > 50
    assert all("stay as they were" in each for each in told)
    assert any("is not the key of" in each for each in told)


async def test_t5_what_is_asked_for_is_read_again_at_once(tmp_path: Path) -> None:
    files = Files(tmp_path)
    certificates = Certificates(files.tls)
    before = certificates.contexts
    async with trio.open_nursery() as watching:
        watching.start_soon(certificates.watch)
        certificates.ask()
        await until(lambda: certificates.contexts is not before)
        watching.cancel_scope.cancel()


async def test_t5_what_was_in_the_way_need_not_show_in_the_file(tmp_path: Path) -> None:
    """As rights do not, with which a key was put there and then given others."""
    files = Files(tmp_path)
    async with place(handler, files.tls) as found:
        files.put("renewed")
        files.spoil()
        await until(lambda: bool(found.logs))
        await trio.sleep(0.2)  # many looks
        files.mend()
        await shows(found, "renewed")
        assert len(found.logs) < 5  # once for each change, not for each look


async def test_what_is_not_watched_stays(tmp_path: Path) -> None:
    files = Files(tmp_path)
    await Certificates(files.tls, watched=False).watch()


async def test_a_change_is_told(tmp_path: Path) -> None:
    files = Files(tmp_path)
    told = trio.Event()
    async with trio.open_nursery() as watching:
        watching.start_soon(tell_changes, files.tls, told.set)
        await trio.sleep(0.05)
        files.put("renewed")
        with trio.fail_after(10):
            await told.wait()
        watching.cancel_scope.cancel()


@pytest.mark.parametrize("workers", ["none", "1"])
async def test_k7_sighup_reads_the_certificates_again(
    tmp_path: Path, workers: str
) -> None:
    files = Files(tmp_path)
    program = tmp_path / "shop.py"
    program.write_text("async def handler(request): return 'here'\n", "utf-8")
    command = [sys.executable, "-m", "trioweb", "run", str(program)]
    command += ["--certfile", str(files.cert), "--keyfile", str(files.key)]
    command += ["--bind", "127.0.0.1:0", "--set", "tls.look=1000", "--workers", workers]
    async with serving(command) as server:
        found = Place(int(server.url.rpartition(":")[2]), [])
        await shows(found, "server")
        files.put("renewed")
        os.kill(server.process.pid, signal.SIGHUP)
        await shows(found, "renewed")
        assert await server.stop() == 0
