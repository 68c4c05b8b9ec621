"""Berths: a socket for each slot, at the same port, that nobody else gets into."""

from __future__ import annotations

import select
import socket
from collections import Counter
from pathlib import Path

import pytest

from tests.run.cluster.crews import no_descriptors_but
from trioweb.run.cluster import berths as module
from trioweb.run.cluster.berths import Berths
from trioweb.run.cluster.placing import SHARED, place
from trioweb.run.listeners import BindError


def port(sock: socket.socket) -> int:
    return int(sock.getsockname()[1])


def test_each_slot_has_a_socket_for_each_address_at_one_port() -> None:
    berths = Berths(["localhost:0"], 3)
    sockets = [sock for slot in range(3) for sock in berths.of(slot)]
    assert berths.count == 3
    assert len({port(sock) for sock in sockets}) == 1
    assert len({sock.fileno() for sock in sockets}) == len(sockets)
    assert berths.of(SHARED) == []
    assert not any(sock.get_inheritable() for sock in sockets)
    assert berths.urls[0] == f"http://127.0.0.1:{port(sockets[0])}"
    berths.close()
    berths.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_k9_connections_are_spread_over_them(host: str) -> None:
    berths = Berths([f"{host}:0"], 2)
    (first,), (second,) = berths.of(0), berths.of(1)
    address = first.getsockname()
    peers = [socket.create_connection(address[:2]) for _ in range(200)]
    taken: Counter[socket.socket] = Counter()
    while ready := select.select([first, second], [], [], 0)[0]:
        for sock in ready:
            sock.accept()[0].close()
            taken[sock] += 1
    for peer in peers:
        peer.close()
    assert sum(taken.values()) == 200
    assert min(taken[first], taken[second]) > 50
    berths.close()


def test_k13_nobody_gets_in_beside_them_not_even_another_of_our_kind() -> None:
    berths = Berths(["127.0.0.1:0"], 2)
    taken = f"127.0.0.1:{port(berths.of(0)[0])}"
    with pytest.raises(BindError, match="is in use"):
        Berths([taken], 2)
    berths.close()
    Berths([taken], 2).close()


def test_one_bind_that_cannot_be_had_leaves_none_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(BindError):
        Berths(["127.0.0.1:0", f"127.0.0.1:{port(taken)}"], 2)


def test_more_slots_get_more_sockets_and_fewer_keep_them() -> None:
    berths = Berths(["127.0.0.1:0"], 1)
    berths.grow(3)
    assert berths.count == 3
    assert port(berths.of(2)[0]) == port(berths.of(0)[0])
    berths.grow(1)
    assert berths.count == 3
    berths.close()


def test_no_more_sockets_is_said_and_those_there_are_stay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    berths = Berths(["127.0.0.1:0"], 1)

    def full(*_: object) -> socket.socket:
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as patched:
        patched.setattr(socket, "socket", full)
        with pytest.raises(BindError, match="Too many open files"):
            berths.grow(2)
    assert berths.count == 1
    berths.close()


def test_o1_what_cannot_be_multiplied_is_shared(tmp_path: Path) -> None:
    path = tmp_path / "a.sock"
    with socket.create_server(("127.0.0.1", 0)) as given:
        inherited = socket.socket(fileno=given.detach())
        berths = Berths([f"unix:{path}", f"fd:{inherited.fileno()}"], 2)
        inherited.detach()
    assert berths.count == 0
    assert len(berths.of(SHARED)) == 2
    assert path.exists()
    berths.close()
    assert not path.exists()


def test_where_the_system_does_not_spread_one_is_shared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_SPREADS", False)
    berths = Berths(["127.0.0.1:0"], 4)
    assert berths.count == 0
    assert len(berths.of(SHARED)) == 1
    berths.close()


PLACED = [
    ("everybody has an own one", 2, {0: 7, 1: 8}, {}, {7: {0, -1}, 8: {1, -1}}),
    ("one has none", 2, {0: 7}, {}, {7: {0, 1, -1}}),
    ("who has it keeps it", 4, {0: 7, 1: 8}, {7: {3}}, {7: {0, 3, -1}, 8: {1, 2, -1}}),
    ("not all of them", 4, {0: 7, 1: 8}, {7: {2, 3}}, {7: {0, 2, -1}, 8: {1, 3, -1}}),
    ("only shared ones", 0, {0: 7, 1: 8}, {}, {7: {-1}, 8: {-1}}),
    ("nobody", 2, {}, {}, {}),
]


@pytest.mark.parametrize(
    ("sockets", "serving", "held", "placed"),
    [case[1:] for case in PLACED],
    ids=[case[0] for case in PLACED],
)
def test_no_socket_is_left_alone(
    sockets: int,
    serving: dict[int, int],
    held: dict[int, set[int]],
    placed: dict[int, set[int]],
) -> None:
    assert place(sockets, serving, held) == placed


def test_more_of_them_come_all_or_none() -> None:
    """One that listens, and that no worker is told of, would keep peers waiting."""
    berths = Berths(["127.0.0.1:0"], 1)
    (first,) = berths.of(0)
    with no_descriptors_but(5), pytest.raises(BindError, match="for more workers"):
        berths.grow(20)
    assert berths.count == 1
    peers = [socket.create_connection(first.getsockname()) for _ in range(50)]
    for _ in peers:
        assert select.select([first], [], [], 5)[0]
        first.accept()[0].close()
    for peer in peers:
        peer.close()
    berths.grow(20)
    assert berths.count == 20
    berths.close()
