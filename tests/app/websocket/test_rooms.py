"""Rooms: everybody hears everything in order, and who is behind delays nobody."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio
from trio_websocket import ConnectionClosed

from tests.app.websocket.pairs import Pair, pairing
from trioweb import App, SetupError
from trioweb.app.rooms import GOODBYE, Member, Policy, Rooms
from trioweb.message.site import Site
from trioweb.message.topics import MESSAGE_LIMIT, Topics


@asynccontextmanager
async def opened(
    *, queue: int = 64, policy: Policy = "disconnect", topics: Topics | None = None
) -> AsyncIterator[Rooms]:
    """Rooms of an application that is served."""
    app = App()
    rooms = Rooms(app, queue=queue, policy=policy)
    async with app.open(Site(1, 0, Path(), topics=topics or Topics())):
        yield rooms


async def heard(pair: Pair, count: int) -> list[str | bytes]:
    """The next messages that the peer gets."""
    return [await pair.theirs.get_message() for _ in range(count)]


async def test_everybody_in_the_room_hears_it_and_nobody_else() -> None:
    async with (
        opened() as rooms,
        pairing() as one,
        pairing() as two,
        pairing() as far,
        rooms.join("tea", one.ours),
        rooms.join("tea", two.ours),
        rooms.join("coffee", far.ours),
    ):
        await rooms.broadcast("tea", "안녕")
        await rooms.broadcast("coffee", b"\x00\xff")
        await rooms.broadcast("nobody is here", "lost")
        assert await one.theirs.get_message() == "안녕"
        assert await two.theirs.get_message() == "안녕"
        assert await far.theirs.get_message() == b"\x00\xff"


async def test_who_says_something_hears_it_too_in_the_order_it_was_said() -> None:
    async with (
        opened() as rooms,
        pairing() as one,
        pairing() as two,
        rooms.join("tea", one.ours),
        rooms.join("tea", two.ours),
    ):
        for number in range(50):
            await rooms.broadcast("tea", str(number))
        said = [str(number) for number in range(50)]
        assert await heard(one, 50) == said
        assert await heard(two, 50) == said


async def test_a_room_counts_those_who_are_in_it() -> None:
    async with opened() as rooms, pairing() as one, pairing() as two:
        assert rooms.members("tea") == 0
        async with rooms.join("tea", one.ours):
            async with rooms.join("tea", two.ours), rooms.join("coffee", one.ours):
                assert (rooms.members("tea"), rooms.members("coffee")) == (2, 1)
            assert (rooms.members("tea"), rooms.members("coffee")) == (1, 0)
        assert rooms.members("tea") == 0


async def test_who_is_in_two_rooms_hears_both() -> None:
    async with opened() as rooms, pairing() as one:
        async with rooms.join("tea", one.ours), rooms.join("coffee", one.ours):
            await rooms.broadcast("tea", "green")
            assert await one.theirs.get_message() == "green"
            await rooms.broadcast("coffee", "black")
            assert await one.theirs.get_message() == "black"
        await rooms.broadcast("tea", "nobody is there")
        await one.ours.send_message("the connection is as it was")
        assert await one.theirs.get_message() == "the connection is as it was"


async def test_who_comes_later_hears_nothing_of_before() -> None:
    async with opened() as rooms, pairing() as one:
        await rooms.broadcast("tea", "before")
        async with rooms.join("tea", one.ours):
            await rooms.broadcast("tea", "after")
            assert await one.theirs.get_message() == "after"


async def test_rooms_of_two_workers_are_the_same_rooms() -> None:
    async def there(topic: str, message: bytes) -> None:
        await second.deliver(topic, message)

    async def back(topic: str, message: bytes) -> None:
        await first.deliver(topic, message)

    first, second = Topics(there), Topics(back)
    async with (
        opened(topics=first) as here,
        opened(topics=second) as elsewhere,
        pairing() as one,
        pairing() as two,
        here.join("tea", one.ours),
        elsewhere.join("tea", two.ours),
    ):
        await here.broadcast("tea", "from here")
        await elsewhere.broadcast("tea", b"from elsewhere")
        assert await heard(one, 2) == ["from here", b"from elsewhere"]
        assert await heard(two, 2) == ["from here", b"from elsewhere"]
        assert (here.members("tea"), elsewhere.members("tea")) == (1, 1)


async def fill(rooms: Rooms, count: int) -> None:
    """Say so many numbers, and let those who can send them."""
    for number in range(count):
        await rooms.broadcast("tea", str(number))
    await trio.testing.wait_all_tasks_blocked()


async def test_of_a_member_that_is_behind_the_oldest_are_dropped_and_counted() -> None:
    async with (
        opened(queue=3, policy="oldest") as rooms,
        pairing(narrow=True) as pair,
        rooms.join("tea", pair.ours) as member,
    ):
        await fill(rooms, 20)
        # Two reached the peer's library, the third is on its way, three wait.
        assert await heard(pair, 6) == ["0", "1", "2", "17", "18", "19"]
        assert member.missed == 14
        await rooms.broadcast("tea", "as before")
        assert await heard(pair, 1) == ["as before"]


async def test_a_member_that_is_behind_is_told_so_and_misses_nothing_until_then() -> (
    None
):
    async with opened(queue=3) as rooms, pairing(narrow=True) as pair:
        async with rooms.join("tea", pair.ours) as member:
            await fill(rooms, 20)
            assert await heard(pair, 3) == ["0", "1", "2"]
            with pytest.raises(ConnectionClosed) as closed:
                await pair.theirs.get_message()
            assert member.missed > 0
        assert closed.value.reason is not None
        assert closed.value.reason.code == 1013
        assert closed.value.reason.reason == "too slow for what is said here"


async def test_a_member_that_takes_nothing_at_all_is_cut_off(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with opened(queue=3) as rooms, pairing(narrow=True) as pair:
        async with rooms.join("tea", pair.ours):
            await fill(rooms, 20)
            with pytest.raises(ConnectionClosed):
                await pair.ours.get_message()
        assert trio.current_time() == GOODBYE


@pytest.mark.parametrize("policy", ["disconnect", "oldest"])
async def test_one_that_is_stuck_among_a_thousand_delays_nobody(
    policy: Policy, autojump_clock: trio.testing.MockClock
) -> None:
    async with opened(queue=3, policy=policy) as rooms, AsyncExitStack() as stack:
        stuck = await stack.enter_async_context(pairing(narrow=True))
        others = [await stack.enter_async_context(pairing()) for _ in range(999)]
        for pair in [stuck, *others]:
            await stack.enter_async_context(rooms.join("tea", pair.ours))
        assert rooms.members("tea") == 1000
        for number in range(8):
            await rooms.broadcast("tea", str(number))
            for pair in others:
                assert await pair.theirs.get_message() == str(number)
        assert trio.current_time() == 0
        await trio.aclose_forcefully(stuck.stream)


async def test_a_burst_costs_nobody_who_listens_anything() -> None:
    async with opened() as rooms, pairing() as pair, rooms.join("tea", pair.ours) as it:
        async with trio.open_nursery() as saying:
            saying.start_soon(fill, rooms, 1000)
            assert await heard(pair, 1000) == [str(number) for number in range(1000)]
        assert it.missed == 0


async def test_a_peer_that_has_gone_is_no_fault_of_the_room() -> None:
    async with (
        opened() as rooms,
        pairing() as gone,
        pairing() as here,
        rooms.join("tea", gone.ours),
        rooms.join("tea", here.ours),
    ):
        await gone.theirs.aclose()
        async with trio.open_nursery() as saying:
            saying.start_soon(fill, rooms, 100)
            assert (await heard(here, 100))[-1] == "99"


async def test_leaving_finishes_the_message_that_is_being_sent() -> None:
    async with opened() as rooms, pairing(narrow=True) as pair:
        async with trio.open_nursery() as nursery:

            async def stay() -> None:
                async with rooms.join("tea", pair.ours):
                    await fill(rooms, 10)
                await pair.ours.send_message("still here")

            nursery.start_soon(stay)
            await trio.testing.wait_all_tasks_blocked(0.01)
            assert await heard(pair, 4) == ["0", "1", "2", "still here"]
        assert rooms.members("tea") == 0


async def test_leaving_waits_for_the_goodbye_of_who_is_too_slow(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with opened(queue=3) as rooms, pairing(narrow=True) as pair:
        async with rooms.join("tea", pair.ours):
            await fill(rooms, 20)
        assert trio.current_time() == GOODBYE


async def test_a_cancelled_member_leaves_at_once(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with opened(queue=3) as rooms, pairing(narrow=True) as pair:
        with trio.move_on_after(1):
            async with rooms.join("tea", pair.ours):
                await fill(rooms, 20)
                await trio.sleep_forever()
        assert trio.current_time() == 1
        assert rooms.members("tea") == 0


@pytest.mark.parametrize("waiting", [0, 10])
async def test_what_is_raised_in_a_room_leaves_it_as_it_is(waiting: int) -> None:
    async with opened(policy="oldest") as rooms, pairing() as pair:

        async def fail() -> None:
            async with rooms.join("tea", pair.ours):
                await fill(rooms, waiting)
                raise KeyError("mine")

        with pytest.raises(KeyError, match="mine"):
            await fail()
        assert rooms.members("tea") == 0


async def test_a_name_is_an_address() -> None:
    async with opened() as rooms, pairing() as pair:
        longest = "물" * 83 + "x"
        async with rooms.join(longest, pair.ours):
            await rooms.broadcast(longest, "here")
            assert await pair.theirs.get_message() == "here"
        with pytest.raises(ValueError, match="too long for the name of a room"):
            await enter(rooms.join(longest + "x", pair.ours))
        with pytest.raises(ValueError, match="longer than 255 bytes"):
            await rooms.broadcast(longest + "x", "nowhere")


async def enter(member: Member) -> None:
    """Join a room and leave it."""
    async with member:
        pass


@pytest.mark.parametrize("message", [None, 5, {"text": "안녕"}, bytearray(b"x")])
async def test_a_message_is_text_or_bytes(message: Any) -> None:  # noqa: ANN401
    async with opened() as rooms:
        with pytest.raises(TypeError, match="text or bytes"):
            await rooms.broadcast("tea", message)


async def test_a_message_has_at_most_64_kib() -> None:
    async with opened() as rooms:
        await rooms.broadcast("tea", b"x" * (MESSAGE_LIMIT - 5))
        with pytest.raises(ValueError, match="keep it in a database"):
            await rooms.broadcast("tea", "x" * MESSAGE_LIMIT)


async def test_there_are_no_rooms_before_there_is_a_server() -> None:
    rooms = Rooms(App())
    with pytest.raises(RuntimeError, match="while it is served"):
        await rooms.broadcast("tea", "too early")


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"queue": 0}, "at least 1"),
    ({"policy": "newest"}, "'newest'"),
]


@pytest.mark.parametrize(("options", "fault"), WRONG)
def test_rooms_that_cannot_work_are_refused(options: Any, fault: str) -> None:  # noqa: ANN401
    with pytest.raises(SetupError, match=fault):
        Rooms(App(), **options)
