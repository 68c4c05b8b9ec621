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

from tests.run.cluster.crews import no_descriptors_but
from trioweb.message.topics import MESSAGE_LIMIT, TOPIC_LIMIT
from trioweb.run.cluster.backlog import DOWN, UP
from trioweb.run.cluster.channel import (
    LONGEST,
    QUEUE,
    Channel,
    ChannelBroken,
    Letter,
    encode,
)
from trioweb.run.cluster.messages import (
    Accept,
    Beat,
    Failed,
    FromSupervisor,
    FromWorker,
    Leave,
    Parting,
    Published,
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


async def test_sockets_arrive_though_there_is_no_room_for_copies_of_them() -> None:
    async with ends() as (above, below):
        with socket.create_server(("127.0.0.1", 0)) as listening:
            with no_descriptors_but(0):
                above.post(Accept(1), [listening])
            letter = await below.receive()
            assert letter is not None
            (sock,) = letter.sockets
            with sock:
                assert sock.getsockname() == listening.getsockname()
            with no_descriptors_but(0):
                above.post(Accept(2), [listening])
        above.post(Quit())  # what is closed by now cannot come, but the rest does
        assert await below.receive() == Letter(Quit(), [])


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


async def test_news_arrive_in_order_behind_all_else() -> None:
    async with ends() as (above, below):
        for number in range(1000):
            below.pass_on(encode(Published("room", str(number).encode())))
        below.post(Parting())
        letter = await above.receive()
        assert letter == Letter(Parting(), [])
        assert await news(above, 1000) == list(range(1000))
        assert below.news.dropped == 0


async def test_news_that_nobody_takes_give_way_and_keep_no_message_waiting() -> None:
    piece = bytes(60_000)
    async with ends() as (above, below):
        for number in range(200):
            below.pass_on(encode(Published(str(number), piece)))
            assert below.news.size <= DOWN
            await trio.lowlevel.checkpoint()
        assert 50 < below.news.dropped < 200
        below.post(Parting())
        got: list[FromWorker] = []
        while len(got) + below.news.dropped < 201:
            letter = await above.receive()
            assert letter is not None
            got.append(letter.message)
        # What the system had taken, then those that were left, none of them twice.
        assert Parting() in got[:20]
        numbers = [int(each.topic) for each in got if isinstance(each, Published)]
        assert numbers == sorted(set(numbers))
        assert numbers[-1] == 199


async def test_who_publishes_waits_for_room_and_everything_arrives() -> None:
    piece = bytes(10_000)
    async with ends() as (above, below):
        published: list[int] = []

        async def publish(first: int) -> None:
            for number in range(first, first + 100):
                await below.publish(Published(str(number), piece))
                published.append(number)

        async with trio.open_nursery() as publishing:
            for each in range(10):
                publishing.start_soon(publish, each * 100)
            await trio.testing.wait_all_tasks_blocked()
            assert len(published) < 200
            assert below.news.size <= UP + 10 * 11_000
            got: list[int] = []
            while len(got) < 1000:
                letter = await above.receive()
                assert letter is not None
                assert isinstance(letter.message, Published)
                got.append(int(letter.message.topic))
        for each in range(10):  # of each publisher in its order
            assert [n for n in got if n // 100 == each] == [
                *range(each * 100, each * 100 + 100)
            ]
        assert below.news.dropped == 0


async def test_who_publishes_is_let_go_when_the_other_end_is_gone() -> None:
    one, other = socket.socketpair()
    below: Channel[FromSupervisor] = Channel(one, FromSupervisor)
    with trio.fail_after(20):
        async with trio.open_nursery() as sending:
            sending.start_soon(below.deliver)
            with trio.move_on_after(0.1):
                while True:
                    await below.publish(Published("room", bytes(60_000)))
            sending.start_soon(below.flush)
            other.close()
            for _ in range(100):
                await below.publish(Published("room", bytes(60_000)))
            await below.flush()
            sending.cancel_scope.cancel(reason="over")
    assert below.news.size == 0
    below.close()


async def test_what_is_flushed_has_been_sent() -> None:
    async with ends() as (above, below):
        await below.flush()
        for number in range(100):
            below.pass_on(encode(Published("room", str(number).encode())))
        below.post(Parting())
        await below.flush()
        assert len(above.remaining()) == 101


async def test_the_largest_message_that_may_be_published_fits() -> None:
    largest = Published("물" * (TOPIC_LIMIT // 3), bytes(MESSAGE_LIMIT))
    async with ends() as (above, below):
        await below.publish(largest)
        assert await above.receive() == Letter(largest, [])


async def news(channel: Channel[FromWorker], count: int) -> list[int]:
    """The numbers that come as news."""
    found = []
    for _ in range(count):
        letter = await channel.receive()
        assert letter is not None
        assert isinstance(letter.message, Published)
        found.append(int(letter.message.message))
    return found


NONSENSE = [
    ("too long", struct.pack("!I", LONGEST + 1)),
    ("no MessagePack", struct.pack("!I", 3) + b"\xc1bc"),
    ("no message", struct.pack("!I", 1) + b"\x80"),
    ("of another kind", encode(Quit())),
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
