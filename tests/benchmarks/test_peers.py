"""The servers that are compared: each does what it says it can, as the others do it."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from benchmarks.peer import Certificate, NodePeer, NotInstalled, Peer
from benchmarks.peers import PEERS, TRIOWEB
from benchmarks.programs import started
from benchmarks.rounds import free_port, listening
from benchmarks.works import FILE, HOLDS, WORKS, Served, Work
from tests.clients.process import output
from tests.needs import needs, program
from tests.run.tls.meeting import pem

CERTIFICATE = Certificate(Path(pem("server.pem")), Path(pem("server.key")))

# Of the others the packages have to be had first, and then `python -m benchmarks` asks
# the same of them.
HERE = [peer for peer in PEERS if not peer.packages]
NEEDED = {"nginx": [needs("nginx")]} | {
    peer.name: [needs("node")] for peer in HERE if "node" in peer.command
}


def test_every_peer_can_do_what_is_known_and_says_how() -> None:
    names = {each.name for each in (*WORKS, *HOLDS)}
    for peer in PEERS:
        assert peer.works
        assert peer.works <= names
        ways = {each.served for each in (*WORKS, *HOLDS) if each.name in peer.works}
        assert (Served.TLS in ways) == bool(peer.tls)
        assert (Served.WORKERS in ways) == bool(peer.crew)
    assert TRIOWEB.works == names
    assert len({peer.name for peer in PEERS}) == len(PEERS)


def test_every_package_has_its_version() -> None:
    for peer in PEERS:
        for package in peer.packages:
            form = r".+@\d+\.\d+\.\d+" if isinstance(peer, NodePeer) else r".+==\d.+"
            assert re.fullmatch(form, package)


@needs("curl")
@pytest.mark.parametrize(
    "peer",
    [
        pytest.param(each, id=each.name, marks=NEEDED.get(each.name, []))
        for each in HERE
    ],
)
async def test_what_a_peer_can_do_it_does(peer: Peer, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(FILE)
    works = [work for work in WORKS if work.name in peer.works]
    assert works
    for served in {work.served for work in works}:
        async with _serving(peer, served, tmp_path) as port:
            for work in works:
                if work.served is served:
                    await _ask(port, work, tmp_path)


@contextlib.asynccontextmanager
async def _serving(peer: Peer, served: Served, place: Path) -> AsyncIterator[int]:
    port = free_port()
    tls = CERTIFICATE if served is Served.TLS else None
    command = peer.at(port, tls=tls, crew=served is Served.WORKERS)
    env = {**os.environ, "BENCHMARK_FILE": str(place / "file")}
    async with started(command, core=None, env=env) as it:
        await listening(peer.name, it, port)
        yield port


async def _ask(port: int, work: Work, place: Path) -> None:
    """Ask twice, as a visitor who comes back: every answer is as it should be."""
    scheme = "https" if work.tls else "http"
    version = "2" if work.name.startswith("h2") else "1.1"
    (place / "sent").write_bytes(work.body)
    command = ["curl", "-sk", f"--http{version}", "-X", work.method, "-H", "Expect:"]
    if work.body:
        command += ["-H", "Content-Type:", "--data-binary", f"@{place}/sent"]
    for name, value in work.first().items():
        command += ["-H", f"{name}: {value}"]
    command += ["-b", f"{place}/jar", "-c", f"{place}/jar", "-o", f"{place}/got"]
    command += ["-w", "%{http_version} %{http_code}"]
    command += [f"{scheme}://127.0.0.1:{port}{work.path}"]
    for visited in (False, True):
        assert await output(program("curl"), *command[1:]) == f"{version} 200"
        answer = (place / "got").read_bytes()
        assert work.answered_by(answer) or (work.visits and not visited)


def test_words_are_added_for_tls_and_for_a_crew() -> None:
    peer = Peer(
        name="p", command=("{python}", "{port}"), version=(), tls=("{cert}", "{key}"),
        crew=("two",),
    )  # fmt: skip
    alone = [sys.executable, "80"]
    there = Certificate(Path("/c"), Path("/k"))
    assert peer.at(80) == alone
    assert peer.at(80, tls=there, crew=True) == [*alone, "/c", "/k", "two"]


def test_what_a_peer_cannot_do_is_refused() -> None:
    peer = Peer(name="p", command=(), version=())
    with pytest.raises(ValueError, match="how p serves by TLS"):
        peer.at(80, tls=CERTIFICATE)
    with pytest.raises(ValueError, match="how p serves by two workers"):
        peer.at(80, crew=True)


async def test_a_peer_is_described_by_its_version_or_is_not_there() -> None:
    there = Peer(name="p", command=(), version=("echo", "1.2"))
    assert await there.described() == "p (1.2)"
    for version in ("false", "/no/such/program"):
        with pytest.raises(NotInstalled, match="p: "):
            await Peer(name="p", command=(), version=(version,)).described()
