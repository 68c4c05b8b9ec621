"""Listeners: sockets that are open, said where, all or none, and cleaned up."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from trioweb.run.listeners import BindError, Listener, open_listeners


@contextmanager
def listening(*binds: str) -> Iterator[Sequence[Listener]]:
    listeners = open_listeners(binds)
    try:
        yield listeners
    finally:
        for listener in listeners:
            listener.close()


def port_of(listener: Listener) -> int:
    port: int = listener.socket.getsockname()[1]
    return port


@contextmanager
def taken(host: str = "127.0.0.1") -> Iterator[int]:
    """A port somebody else listens on."""
    with socket.create_server((host, 0)) as other:
        yield other.getsockname()[1]


def test_localhost_is_both_families_on_one_port() -> None:
    with listening("localhost:0") as listeners:
        four, six = listeners
        port = port_of(four)
        assert [listener.url for listener in listeners] == [
            f"http://127.0.0.1:{port}",
            f"http://[::1]:{port}",
        ]
        assert (four.family, six.family) == (socket.AF_INET, socket.AF_INET6)
        for host in ("127.0.0.1", "::1"):
            socket.create_connection((host, port), timeout=5).close()


def test_a_port_alone_listens_everywhere_with_a_socket_for_each_family() -> None:
    with listening(":0") as listeners:
        assert [listener.socket.getsockname()[0] for listener in listeners] == [
            "0.0.0.0",
            "::",
        ]
        assert port_of(listeners[0]) == port_of(listeners[1])


def test_a_socket_neither_blocks_nor_is_inherited() -> None:
    with listening("127.0.0.1:0") as (listener,):
        assert not listener.socket.getblocking()
        assert not listener.socket.get_inheritable()
        assert listener.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)


def test_several_places_are_opened_in_their_order() -> None:
    with listening("127.0.0.2:0", "127.0.0.3:0") as listeners:
        assert listeners[0].url.startswith("http://127.0.0.2:")
        assert listeners[1].url.startswith("http://127.0.0.3:")


def test_a_port_in_use_is_said_in_one_line() -> None:
    with taken() as port, pytest.raises(BindError) as caught:
        open_listeners([f"127.0.0.1:{port}"])
    assert str(caught.value) == (
        f"port {port} on 127.0.0.1 is in use; "
        "stop the other program or choose another port with --bind"
    )


def test_a_failure_half_way_closes_what_was_opened(tmp_path: Path) -> None:
    path = tmp_path / "app.sock"
    with taken("127.0.0.2") as port:
        with pytest.raises(BindError):
            open_listeners([f"unix:{path}", f"127.0.0.1:{port}", f"127.0.0.2:{port}"])
        with listening(f"127.0.0.1:{port}"):
            assert not path.exists()


def test_localhost_fails_where_one_of_its_addresses_is_taken() -> None:
    with taken("127.0.0.1") as port, pytest.raises(BindError, match="in use"):
        open_listeners([f"localhost:{port}"])


REFUSED = [
    ("127.0.0.1:http", "is no place to listen"),
    ("no-such-host.invalid:80", "the host 'no-such-host.invalid' is not known here"),
    (f"{'a' * 64}.invalid:80", "is not known here"),
    ("203.0.113.7:0", "no address 203.0.113.7; choose another"),
    ("fd:999", "descriptor 999 is no listening stream socket"),
]


@pytest.mark.parametrize(("bind", "message"), REFUSED, ids=[r[1] for r in REFUSED])
def test_a_place_that_cannot_be_had_is_said_in_one_line(
    bind: str, message: str
) -> None:
    with pytest.raises(BindError) as caught:
        open_listeners([bind])
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@contextmanager
def system(
    monkeypatch: pytest.MonkeyPatch, call: str, *answers: int | None
) -> Iterator[None]:
    """A system that answers *call* of its sockets with these errnos, then as it is."""
    left = list(answers)
    real = getattr(socket.socket, call)

    def answer(*arguments: object) -> object:
        error = left.pop(0) if left else None
        if error is not None:
            raise OSError(error, os.strerror(error))
        return real(*arguments)

    class Socket(socket.socket):
        """A socket of that system."""

    with monkeypatch.context() as patch:
        patch.setattr(Socket, call, answer, raising=False)
        patch.setattr(socket, "socket", Socket)
        yield
    assert not left


SYSTEM_SAYS = [
    (errno.EACCES, "for privileged programs; choose a port from 1024 up"),
    (errno.EAFNOSUPPORT, "this machine has no address 127.0.0.1"),
    (errno.ENOBUFS, "cannot listen on port 0 of 127.0.0.1: No buffer space"),
]


@pytest.mark.parametrize(
    ("error", "message"), SYSTEM_SAYS, ids=[errno.errorcode[s[0]] for s in SYSTEM_SAYS]
)
def test_what_the_system_says_is_told_with_a_remedy(
    monkeypatch: pytest.MonkeyPatch, error: int, message: str
) -> None:
    with system(monkeypatch, "bind", error), pytest.raises(BindError, match=message):
        open_listeners(["127.0.0.1:0"])


def test_without_ipv6_localhost_is_ipv4(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        system(monkeypatch, "bind", None, errno.EADDRNOTAVAIL),
        listening("localhost:0") as listeners,
    ):
        assert [listener.family for listener in listeners] == [socket.AF_INET]


def test_another_free_port_is_taken_where_the_second_family_has_it_in_use(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with (
        system(monkeypatch, "bind", None, errno.EADDRINUSE),
        listening("localhost:0") as (four, six),
    ):
        assert port_of(four) == port_of(six)


def test_a_machine_without_a_free_port_is_not_asked_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with (
        system(monkeypatch, "bind", *[errno.EADDRINUSE] * 16),
        pytest.raises(BindError, match="in use"),
    ):
        open_listeners(["localhost:0"])


def test_closing_twice_is_fine() -> None:
    with listening("127.0.0.1:0") as (listener,):
        listener.close()


# ------------------------------------------------------------ inherited descriptors


def test_an_inherited_listener_is_adopted() -> None:
    made = socket.create_server(("127.0.0.1", 0))
    port = made.getsockname()[1]
    made.set_inheritable(True)
    fd = made.detach()
    with listening(f"fd:{fd}") as (listener,):
        assert listener.url == f"http://127.0.0.1:{port}"
        assert not listener.socket.getblocking()
        assert not listener.socket.get_inheritable()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)


def test_an_inherited_unix_listener_keeps_its_name(tmp_path: Path) -> None:
    path = tmp_path / "app.sock"
    made = socket.socket(socket.AF_UNIX)
    made.bind(str(path))
    made.listen()
    with listening(f"fd:{made.detach()}") as (listener,):
        assert listener.url == f"http+unix://{str(path).replace('/', '%2F')}"
    assert path.exists()


def test_a_descriptor_that_does_not_listen_is_left_open() -> None:
    with socket.socket() as other:
        with pytest.raises(BindError, match="no listening stream socket"):
            open_listeners([f"fd:{other.fileno()}"])
        os.fstat(other.fileno())


def test_a_descriptor_that_is_no_socket_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "file").open("w") as file:
        with pytest.raises(BindError, match="no listening stream socket"):
            open_listeners([f"fd:{file.fileno()}"])
        os.fstat(file.fileno())
