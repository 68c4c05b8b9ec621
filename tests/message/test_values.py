"""The small values of the hinge: session, site, peer, and the door out of the loop."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from trioweb.message.offload import inline, offload, runner
from trioweb.message.session import Session
from trioweb.message.site import Site
from trioweb.message.transport import Peer


def test_a_session_knows_what_changed() -> None:
    session = Session({"a": 1, "b": 2})
    assert (dict(session), len(session), session.changed) == (
        {"a": 1, "b": 2},
        2,
        set(),
    )
    session["c"] = 3
    del session["a"]
    assert session.changed == {"a", "c"}
    assert (session["c"], "a" in session) == (3, False)
    with pytest.raises(KeyError):
        del session["nothing"]
    assert session.changed == {"a", "c"}


def test_a_session_does_not_write_through() -> None:
    stored: dict[str, object] = {"a": 1}
    Session(stored)["a"] = 2
    assert stored == {"a": 1}


def test_a_session_rotates_and_ends() -> None:
    session = Session({"a": 1})
    session.rotate()
    assert (session.rotated, session.destroyed, session["a"]) == (True, False, 1)
    session.destroy()
    assert (session.destroyed, session.changed, len(session)) == (True, {"a"}, 0)


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
