"""The small values of the hinge: site, peer, and the door out of the loop."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from trioweb.message.offload import inline, offload, runner
from trioweb.message.site import Site
from trioweb.message.transport import Peer


@pytest.mark.parametrize(
    ("peer", "text"),
    [
        (Peer("127.0.0.1", 80), "127.0.0.1:80"),
        (Peer("::1", 80), "[::1]:80"),
        (Peer("unix"), "unix"),
    ],
)
def test_a_peer_reads_as_an_address(peer: Peer, text: str) -> None:
    assert str(peer) == text


def test_a_site_is_a_place_among_others() -> None:
    site = Site(workers=2, worker=1, directory=Path("/run"))
    assert (site.workers, site.worker, site.directory) == (2, 1, Path("/run"))


async def test_blocking_work_leaves_the_loop() -> None:
    assert await offload(threading.get_ident) != threading.get_ident()


async def test_unless_a_test_wants_it_here() -> None:
    token = runner.set(inline)
    try:
        assert await offload(threading.get_ident) == threading.get_ident()
    finally:
        runner.reset(token)
