"""Topics: who gets what, and what happens to who is behind."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import trio

from trioweb.message.topics import MESSAGE_LIMIT, STUCK, TURNS, Topics


async def test_every_subscriber_gets_its_own_copy_in_order() -> None:
    topics = Topics()
    with topics.subscribe("room") as one, topics.subscribe("room") as two:
        for number in range(3):
            await topics.publish("room", {"n": [number]})
        await topics.publish("other", "not for them")
        first = [await anext(one) for _ in range(3)]
        first[0]["n"].append("changed")
        assert [await anext(two) for _ in range(3)] == [{"n": [n]} for n in range(3)]


async def test_who_comes_later_gets_nothing_of_before() -> None:
    topics = Topics()
    await topics.publish("room", "before")
    with topics.subscribe("room") as messages:
        await topics.publish("room", "after")
        assert await anext(messages) == "after"
    await topics.publish("room", "nobody is there")


async def test_a_burst_leaves_none_behind_who_takes_each_in_a_few_turns() -> None:
    topics, got = Topics(), list[object]()

    async def listen() -> None:
        async for message in messages:
            got.append(message)
            for _ in range(TURNS - 1):
                await trio.lowlevel.checkpoint()

    with topics.subscribe("room", queue=4) as messages:
        async with trio.open_nursery() as listening:
            listening.start_soon(listen)
            for number in range(100):
                await topics.publish("room", number)
            await trio.testing.wait_all_tasks_blocked()
            listening.cancel_scope.cancel()
    assert (got, messages.missed) == ([*range(100)], 0)


async def turns(topics: Topics) -> int:
    """How many turns publishing one message gives others."""
    taken = 0

    async def count() -> None:
        nonlocal taken
        while True:
            await trio.lowlevel.checkpoint()
            taken += 1

    async with trio.open_nursery() as counting:
        counting.start_soon(count)
        await topics.publish("room", "news")
        counting.cancel_scope.cancel()
    return taken


async def test_no_turns_are_given_to_who_takes_nothing() -> None:
    topics = Topics()
    with topics.subscribe("room", queue=4):
        given = [await turns(topics) for _ in range(STUCK + 2)]
    # Whoever counts misses the first and the last.
    assert min(given[1:STUCK]) >= TURNS - 2 > max(given[0], *given[STUCK:])


async def test_who_waits_until_it_is_behind_hears_so() -> None:
    topics = Topics()
    with topics.subscribe("room", queue=1) as messages:
        async with trio.open_nursery() as waiting:
            waiting.start_soon(messages.behind)
            await topics.publish("room", 1)
            await trio.testing.wait_all_tasks_blocked()
            assert waiting.child_tasks
            await topics.publish("room", 2)
        await messages.behind()


async def test_who_is_behind_misses_the_oldest_and_delays_nobody() -> None:
    topics = Topics()
    with (
        topics.subscribe("room", queue=2) as slow,
        topics.subscribe("room") as other,
    ):
        for number in range(5):
            await topics.publish("room", number)
        assert [await anext(slow), await anext(slow)] == [3, 4]
        assert (slow.missed, other.missed) == (3, 0)
        assert [await anext(other) for _ in range(5)] == list(range(5))


async def test_waiting_for_a_message_ends_when_it_comes() -> None:
    topics, got = Topics(), list[object]()
    with topics.subscribe("room") as messages:

        async def listen() -> None:
            async for message in messages:
                got.append(message)

        async with trio.open_nursery() as listening:
            listening.start_soon(listen)
            await trio.testing.wait_all_tasks_blocked()
            await topics.publish("room", b"\x00")
            await topics.publish("room", None)
            await trio.testing.wait_all_tasks_blocked()
            assert got == [b"\x00", None]
            listening.cancel_scope.cancel()


async def test_cancelling_a_wait_loses_no_message() -> None:
    topics = Topics()
    with topics.subscribe("room") as messages:
        with trio.CancelScope() as scope:
            scope.cancel()
            await anext(messages)
        await topics.publish("room", 1)
        with trio.CancelScope() as scope:
            scope.cancel()
            await anext(messages)
        assert await anext(messages) == 1


async def test_messages_end_when_nothing_more_is_wanted() -> None:
    topics, over, got = Topics(), trio.Event(), list[object]()
    with topics.subscribe("room", until=over) as messages:

        async def listen() -> None:
            async for message in messages:
                got.append(message)

        async with trio.open_nursery() as listening:
            listening.start_soon(listen)
            for number in range(3):
                await trio.testing.wait_all_tasks_blocked()
                await topics.publish("room", number)
            await trio.testing.wait_all_tasks_blocked()
            over.set()
        assert got == [0, 1, 2]
        await topics.publish("room", 3)
        assert [message async for message in messages] == []


async def test_cancelling_a_wait_with_an_end_loses_no_message() -> None:
    topics = Topics()
    with topics.subscribe("room", until=trio.Event()) as messages:
        with trio.move_on_after(0.01):
            await anext(messages)
        await topics.publish("room", 1)
        assert await anext(messages) == 1


async def test_a_message_also_goes_outward_once() -> None:
    sent: list[tuple[str, bytes]] = []

    async def outward(topic: str, message: bytes) -> None:
        await trio.lowlevel.checkpoint()
        sent.append((topic, message))

    topics = Topics(outward)
    with topics.subscribe("room") as messages:
        await topics.publish("room", "hello")
        await topics.deliver("room", msgspec.msgpack.encode("from elsewhere"))
        assert [await anext(messages), await anext(messages)] == [
            "hello",
            "from elsewhere",
        ]
    assert sent == [("room", msgspec.msgpack.encode("hello"))]


@pytest.mark.parametrize("message", [object(), {1j: 2}, lambda: None])
async def test_what_cannot_be_sent_is_refused_by_topic(message: object) -> None:
    with pytest.raises(TypeError, match="topic 'room' cannot be sent"):
        await Topics().publish("room", message)


async def test_what_is_too_large_is_refused() -> None:
    await Topics().publish("room", b"x" * (MESSAGE_LIMIT - 5))
    with pytest.raises(ValueError, match="keep it in a database"):
        await Topics().publish("room", b"x" * MESSAGE_LIMIT)


async def test_a_name_is_an_address() -> None:
    await Topics().publish("물" * 85, 1)
    with pytest.raises(ValueError, match="longer than 255 bytes"):
        await Topics().publish("물" * 86, 1)


@pytest.mark.parametrize("queue", [0, -1])
def test_a_queue_has_room_for_one(queue: Any) -> None:  # noqa: ANN401
    with (
        pytest.raises(ValueError, match="at least 1"),
        Topics().subscribe("room", queue=queue),
    ):
        pass  # not reached
