"""Accepting: what one connection lacks costs no other; row S8."""

from __future__ import annotations

import errno
import logging
import socket
import struct

import pytest

from trioweb.run.accepting import accept_waiting


def test_s8_a_connection_that_the_system_has_no_place_for_costs_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    taken: list[socket.socket] = []
    seen: list[object] = []

    def take(sock: socket.socket, address: object) -> None:
        seen.append(address)
        if len(seen) == 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken.append(sock)

    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        socket.create_connection(listening.getsockname()) as first,
        socket.create_connection(listening.getsockname()),
        caplog.at_level(logging.WARNING, "trioweb.error"),
    ):
        listening.setblocking(False)
        accept_waiting(listening, take, 64)
        assert len(seen) == 2
        assert len(caplog.records) == 1
        first.settimeout(5)
        assert first.recv(1) == b""  # closed, and not forgotten
        for sock in taken:
            sock.close()


def test_a_peer_that_has_left_already_is_not_served() -> None:
    taken: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        address = listening.getsockname()
        silent = [socket.create_connection(address) for _ in range(3)]
        silent[0].close()  # by a FIN
        silent[1].setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        silent[1].close()  # by a RST
        with silent[2], socket.create_connection(address) as asking:
            asking.sendall(b"?")
            asking.shutdown(socket.SHUT_WR)
            accept_waiting(listening, lambda sock, _: taken.append(sock), 2)
            assert len(taken) == 2
            assert {sock.getpeername() for sock in taken} == {
                silent[2].getsockname(),
                asking.getsockname(),
            }
            assert taken[1].recv(2) == b"?"
        for sock in taken:
            sock.close()
