"""Handshakes: so many at once, in order, and nobody holds a place for ever."""

from __future__ import annotations

import contextlib

import pytest
import trio
import trio.testing

from tests.run.tls.meeting import SERVER, hello, place
from trioweb import Config, Request, Response
from trioweb.run.tls.handshakes import PATIENCE, Handshakes
from trioweb.wire.limits import Limits


async def test_t7_only_so_many_are_at_work(autojump_clock: object) -> None:
    handshakes = Handshakes(3)
    most = 0
    order = []

    async def shake(number: int) -> None:
        nonlocal most
        async with handshakes.turn():
            order.append(number)
            most = max(most, handshakes.running)
            await trio.sleep(PATIENCE / 2)

    async with trio.open_nursery() as crowd:
        for number in range(9):
            crowd.start_soon(shake, number)
            await trio.testing.wait_all_tasks_blocked()
    assert most == 3
    assert order == list(range(9))
    assert handshakes.running == 0
    assert trio.current_time() < 10


async def test_t7_who_takes_too_long_goes_when_others_wait(
    autojump_clock: trio.testing.MockClock,
) -> None:
    handshakes = Handshakes(1)
    alone = trio.Event()

    async def stall() -> None:
        async with handshakes.turn():
            alone.set()
            await trio.sleep_forever()

    async def gives_up() -> None:
        with pytest.raises(trio.BrokenResourceError):
            await stall()

    began = trio.current_time()
    async with trio.open_nursery() as crowd:
        crowd.start_soon(gives_up)
        await alone.wait()
        async with handshakes.turn():
            assert trio.current_time() - began == pytest.approx(PATIENCE)


async def test_t7_who_is_alone_may_take_its_time(autojump_clock: object) -> None:
    async with Handshakes(1).turn():
        await trio.sleep(PATIENCE * 5)


async def test_t7_who_does_not_mind_being_cancelled_is_waited_for(
    autojump_clock: object,
) -> None:
    handshakes = Handshakes(1)

    async def busy() -> None:
        async with handshakes.turn():
            with trio.CancelScope(shield=True):
                await trio.sleep(PATIENCE * 3)

    async with trio.open_nursery() as crowd:
        crowd.start_soon(busy)
        await trio.testing.wait_all_tasks_blocked()
        async with handshakes.turn():
            assert handshakes.running == 1


async def handler(request: Request) -> Response:
    return Response(200, body=b"here")


async def test_s6_a_handshake_that_stalls_is_given_up() -> None:
    config = Config(access_log="off", grace=1, limits=Limits(handshake=0.3))
    async with place(handler, SERVER, config) as found:
        for said in (b"", b"\x16\x03\x01"):
            stream = await found.bare()
            async with stream:
                if said:
                    await stream.send_all(said)
                with trio.fail_after(5), contextlib.suppress(trio.BrokenResourceError):
                    assert await stream.receive_some() == b""


async def test_t7_stalled_handshakes_keep_nobody_out() -> None:
    async with place(handler, SERVER) as found:
        idle = [await found.bare() for _ in range(150)]
        for stream in idle:
            await stream.send_all(hello())
        with trio.fail_after(PATIENCE * 5):
            assert b"here" in await found.asked()
        for stream in idle:
            await stream.aclose()
