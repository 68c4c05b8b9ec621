"""Doors: who is let in by which, and that each is closed once it is shut."""

from __future__ import annotations

import socket

import pytest
import trio
import trio.testing

from trioweb.run.doors import Doors, doors
from trioweb.run.listeners import Listener, open_listeners
from trioweb.run.room import Room


def listener() -> Listener:
    (opened,) = open_listeners(["127.0.0.1:0"])
    return opened


class Hall:
    """Counts who comes in."""

    def __init__(self) -> None:
        self.came = 0
        self.room = Room(100, lambda: False)

    def take(self, sock: socket.socket, _: object) -> None:
        self.came += 1
        sock.close()

    async def until(self, came: int) -> None:
        with trio.fail_after(20):
            while self.came < came:  # noqa: ASYNC110  # there is no event
                await trio.sleep(0.005)


def knock(door: Listener) -> None:
    with socket.create_connection(door.socket.getsockname()) as peer:
        peer.sendall(b"?")  # who leaves without a word is not let in


async def test_each_is_opened_and_shut_by_its_key() -> None:
    hall, first, second = Hall(), listener(), listener()
    async with doors(hall.take, hall.room) as ways:
        ways.open(1, first)
        ways.open(2, second)
        knock(first)
        knock(second)
        await hall.until(2)
        ways.shut(1)
        ways.shut(7)
        await trio.testing.wait_all_tasks_blocked()
        assert first.socket.fileno() == -1
        knock(second)
        await hall.until(3)
    assert second.socket.fileno() == -1


async def test_who_has_connected_by_the_end_is_let_in() -> None:
    hall, only = Hall(), listener()
    async with doors(hall.take, hall.room) as ways:
        ways.open(1, only)
        knock(only)
    assert hall.came == 1


async def test_a_door_that_is_shut_leaves_its_queue_to_others() -> None:
    hall, only = Hall(), listener()
    other = only.socket.dup()
    async with doors(hall.take, hall.room) as ways:
        ways.open(1, only)
        knock(only)
        ways.shut_all()
    assert hall.came == 0
    assert only.socket.fileno() == -1
    with other:
        other.accept()[0].close()


async def test_a_failure_closes_every_door() -> None:
    hall, only = Hall(), listener()
    seen: list[Doors] = []
    with pytest.RaisesGroup(KeyError):
        async with doors(hall.take, hall.room) as ways:
            seen.append(ways)
            ways.open(1, only)
            raise KeyError
    assert only.socket.fileno() == -1
