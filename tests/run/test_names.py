"""Names of Unix sockets: who may connect, who is replaced, and what is left behind."""

from __future__ import annotations

import errno
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from trioweb.run.listeners import BindError, Listener, open_listeners


@contextmanager
def listening(bind: str) -> Iterator[Listener]:
    (listener,) = open_listeners([bind])
    try:
        yield listener
    finally:
        listener.close()


def test_a_unix_socket_is_for_owner_and_group_and_leaves_nothing_else(
    tmp_path: Path,
) -> None:
    path = tmp_path / "app.sock"
    with listening(f"unix:{path}") as listener:
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        assert list(tmp_path.iterdir()) == [path]
        assert listener.url == f"http+unix://{str(path).replace('/', '%2F')}"
        with socket.socket(socket.AF_UNIX) as peer:
            peer.settimeout(5)
            peer.connect(str(path))
    assert list(tmp_path.iterdir()) == []


def test_a_stale_socket_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "app.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    before = path.stat().st_ino
    with listening(f"unix:{path}"):
        assert path.stat().st_ino != before


def test_a_living_socket_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "app.sock"
    with listening(f"unix:{path}"):
        before = path.stat().st_ino
        with pytest.raises(BindError, match=r"already listening on .*app\.sock; stop"):
            open_listeners([f"unix:{path}"])
        assert path.stat().st_ino == before
        assert list(tmp_path.iterdir()) == [path]


def test_a_living_socket_that_does_not_accept_is_refused_without_waiting(
    tmp_path: Path,
) -> None:
    path = tmp_path / "app.sock"
    with socket.socket(socket.AF_UNIX) as busy, socket.socket(socket.AF_UNIX) as queued:
        busy.bind(str(path))
        busy.listen(0)
        queued.connect(str(path))
        with pytest.raises(BindError, match="already listening"):
            open_listeners([f"unix:{path}"])


@pytest.mark.parametrize("kind", ["file", "directory", "link"])
def test_a_path_that_is_no_socket_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "app.sock"
    match kind:
        case "file":
            path.touch()
        case "directory":
            path.mkdir()
        case "link":
            path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BindError, match="is no socket; remove it"):
        open_listeners([f"unix:{path}"])
    assert os.path.lexists(path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing/app.sock", "missing is no directory; make it first"),
        ("a" * 120, "too long for a socket"),
    ],
    ids=["missing directory", "too long"],
)
def test_a_path_that_cannot_be_is_refused(
    tmp_path: Path, name: str, message: str
) -> None:
    with pytest.raises(BindError, match=message):
        open_listeners([f"unix:{tmp_path / name}"])


def test_a_socket_that_another_server_has_replaced_is_left_to_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / "app.sock"
    with listening(f"unix:{path}") as first:
        path.unlink()
        with listening(f"unix:{path}"):
            first.close()
            assert path.exists()
        assert not path.exists()


def test_a_name_that_somebody_removed_is_no_trouble_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "app.sock"
    with listening(f"unix:{path}"):
        path.unlink()


def test_a_relative_path_is_removed_from_where_it_was_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with listening("unix:app.sock"):
        assert (tmp_path / "app.sock").exists()
        monkeypatch.chdir("/")
    assert not (tmp_path / "app.sock").exists()


def test_a_unix_socket_that_cannot_listen_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Failing(socket.socket):
        """A socket whose system has a fault."""

        def listen(self, *_: int) -> None:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(socket, "socket", Failing)
    with pytest.raises(BindError, match="Input/output error"):
        open_listeners([f"unix:{tmp_path}/app.sock"])
    assert list(tmp_path.iterdir()) == []
