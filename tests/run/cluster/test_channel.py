"""The channel: messages and sockets arrive whole and in order, and nonsense ends it."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing

from trioweb.run.cluster.channel import LONGEST, QUEUE, Channel, ChannelBroken, Letter
from trioweb.run.cluster.messages import (
    Accept,
    Beat,
    Failed,
    FromSupervisor,
    FromWorker,
    Leave,
    Parting,
    Quit,
    Ready,
    Release,
)

Ends = tuple[Channel[FromWorker], Channel[FromSupervisor]]


@asynccontextmanager
async def ends() -> AsyncIterator[Ends]:
    """Both ends of a channel, and the tasks that send."""
    one, other = socket.socketpair()
    above: Channel[FromWorker] = Channel(one, FromWorker)
    below: Channel[FromSupervisor] = Channel(other, FromSupervisor)
    with trio.fail_after(20):
        async with trio.open_nursery() as sending:
            sending.start_soon(above.deliver)
            sending.start_soon(below.deliver)
            yield above, below
            sending.cancel_scope.cancel(reason="over")
    above.close()
    below.close()


@pytest.mark.parametrize(
    "message",
    [Accept(3), Release(-1), Leave(last=True), Quit()],
    ids=lambda message: type(message).__name__,
)
async def test_what_the_supervisor_says_arrives(message: FromSupervisor) -> None:
    async with ends() as (above, below):
        above.post(message)
        letter = await below.receive()
        assert letter == Letter(message, [])


@pytest.mark.parametrize(
    "message",
    [
        Ready(),
        Beat(connections=1, requests=2, memory=3, processor=4.5),
        Parting(),
        Failed("안녕\n", hopeless=True),
    ],
    ids=lambda message: type(message).__name__,
)
async def test_what_a_worker_says_arrives(message: FromWorker) -> None:
    async with ends() as (above, below):
        below.post(message)
        letter = await above.receive()
        assert letter is not None
        assert letter.message == message


async def test_sockets_arrive_with_their_message_and_are_not_inherited() -> None:
    async with ends() as (above, below):
        for number in range(50):
            with socket.create_server(("127.0.0.1", 0)) as listening:
                port = listening.getsockname()[1]
                above.post(Accept(number), [listening] * (number % 3))
            above.post(Release(number))
            letter = await below.receive()
            assert letter is not None
            assert letter.message == Accept(number)
            assert len(letter.sockets) == number % 3
            for sock in letter.sockets:
                with sock:
                    assert sock.getsockname()[1] == port
                    assert not os.get_inheritable(sock.fileno())
            assert await below.receive() == Letter(Release(number), [])


async def test_nobody_waits_for_an_end_that_does_not_read() -> None:
    async with ends() as (above, below):
        for number in range(4 * QUEUE):
            above.post(Accept(number))
            if number % 100 == 0:
                await trio.lowlevel.checkpoint()
        received = []
        with trio.move_on_after(0.5):
            while (letter := await below.receive()) is not None:
                received.append(letter.message)
        numbers = [each.socket for each in received if isinstance(each, Accept)]
        assert numbers == sorted(numbers)
        assert QUEUE <= len(numbers) <= 4 * QUEUE


async def test_messages_arrive_however_they_are_cut() -> None:
    one, other = socket.socketpair()
    whole = Channel[FromWorker](one, FromWorker)
    whole.send_now(Failed("a", hopeless=False))
    whole.send_now(Ready())
    data = other.recv(1000)
    whole.close()
    other.close()
    one, other = socket.socketpair()
    channel: Channel[FromWorker] = Channel(one, FromWorker)
    received: list[FromWorker] = []

    async def receive() -> None:
        while (letter := await channel.receive()) is not None:
            received.append(letter.message)

    async with trio.open_nursery() as receiving:
        receiving.start_soon(receive)
        for at in range(len(data)):
            other.send(data[at : at + 1])
            await trio.testing.wait_all_tasks_blocked()
        other.close()
    assert received == [Failed("a", hopeless=False), Ready()]
    channel.close()


async def test_the_end_of_the_other_process_is_the_end() -> None:
    one, other = socket.socketpair()
    channel: Channel[FromWorker] = Channel(one, FromWorker)
    Channel[FromSupervisor](other, FromSupervisor).send_now(Ready())
    other.close()
    assert channel.remaining() == [Ready()]
    assert await channel.receive() is None
    channel.send_now(Quit())
    with trio.move_on_after(0.05):
        channel.post(Quit())
        await channel.deliver()
    channel.close()


NONSENSE = [
    ("too long", struct.pack("!I", LONGEST + 1)),
    ("no JSON", struct.pack("!I", 3) + b"abc"),
    ("no message", struct.pack("!I", 2) + b"{}"),
    ("of another kind", struct.pack("!I", 28) + b'{"message":{"type":"Quit"}} '),
]


@pytest.mark.parametrize(
    "data", [case[1] for case in NONSENSE], ids=[case[0] for case in NONSENSE]
)
async def test_what_is_no_message_breaks_the_channel(data: bytes) -> None:
    one, other = socket.socketpair()
    channel: Channel[FromWorker] = Channel(one, FromWorker)
    with other:
        other.send(data)
        with pytest.raises(ChannelBroken):
            await channel.receive()
        other.send(data)
        assert channel.remaining() == []
    channel.close()
