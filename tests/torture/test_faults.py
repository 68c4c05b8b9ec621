"""What the faulty transport does is what it says it does."""

from __future__ import annotations

import contextlib

import pytest
import trio
import trio.testing

from tests.torture.faults import PAUSE, STALL, Chance, Fault, FaultyTransport
from trioweb.testing.transport import MemoryTransport, memory_pair


async def heard(near: MemoryTransport) -> bytes:
    """What has come, all at once."""
    return await near.receive_some() if near.readable else b""


def faulty(
    fault: Fault, at: int, cancel: trio.CancelScope
) -> tuple[MemoryTransport, FaultyTransport]:
    near, far = memory_pair()
    return near, FaultyTransport(far, fault=fault, at=at, cancel=cancel.cancel)


@pytest.mark.parametrize(
    ("fault", "error", "through"),
    [
        (Fault.FAIL, trio.BrokenResourceError, b"one"),
        (Fault.TORN, trio.BrokenResourceError, b"oneab"),
        (Fault.CRASH, MemoryError, b"one"),
    ],
)
async def test_the_second_write_fails(
    fault: Fault, error: type[Exception], through: bytes
) -> None:
    near, far = faulty(fault, 2, trio.CancelScope())
    await far.send_all(b"one")
    with pytest.raises(error):
        await far.send_all(b"abcd")
    assert await heard(near) == through
    await far.send_all(b"on")
    assert await heard(near) == b"on"


async def test_the_second_write_is_cancelled_in_the_middle() -> None:
    with trio.CancelScope() as scope:
        near, far = faulty(Fault.CANCELLED, 2, scope)
        await far.send_all(b"one")
        await far.send_all(b"abcd")
    assert scope.cancelled_caught
    assert await heard(near) == b"oneab"


@pytest.mark.parametrize(
    ("fault", "error", "through"),
    [
        (Fault.FAIL, trio.BrokenResourceError, b""),
        (Fault.TORN, trio.BrokenResourceError, b"ab"),
        (Fault.CRASH, MemoryError, b""),
    ],
)
async def test_a_write_that_does_not_wait_fails(
    fault: Fault, error: type[Exception], through: bytes
) -> None:
    near, far = faulty(fault, 1, trio.CancelScope())
    with pytest.raises(error):
        far.send_now(b"abcd")
    assert await heard(near) == through
    assert far.send_now(b"on") == 2


async def test_a_write_that_does_not_wait_is_cancelled_in_the_middle() -> None:
    with trio.CancelScope() as scope:
        near, far = faulty(Fault.CANCELLED, 1, scope)
        assert far.send_now(b"abcd") == 2
        assert await heard(near) == b"ab"
        await far.send_all(b"cd")
    assert scope.cancelled_caught


@pytest.mark.parametrize("fault", [Fault.PAUSE, Fault.STALL])
async def test_a_write_that_does_not_wait_leaves_it_to_one_that_does(
    fault: Fault,
) -> None:
    _, far = faulty(fault, 1, trio.CancelScope())
    assert far.send_now(b"abcd") == 0
    assert not far.struck


async def test_a_shielded_write_is_not_cancelled() -> None:
    with trio.CancelScope() as scope:
        near, far = faulty(Fault.CANCELLED, 1, scope)
        with trio.CancelScope(shield=True):
            await far.send_all(b"abcd")
            assert await heard(near) == b"abcd"
    assert scope.cancel_called


@pytest.mark.parametrize(
    ("fault", "seconds"), [(Fault.PAUSE, PAUSE), (Fault.STALL, STALL)]
)
async def test_a_use_takes_its_time(
    fault: Fault, seconds: float, autojump_clock: trio.testing.MockClock
) -> None:
    near, far = faulty(fault, 1, trio.CancelScope())
    await near.send_all(b"a")
    assert await far.receive_some() == b"a"
    assert trio.current_time() == seconds


@pytest.mark.parametrize("fault", Fault)
async def test_whatever_goes_wrong_with_its_close_it_closes(
    fault: Fault, autojump_clock: trio.testing.MockClock
) -> None:
    scope = trio.CancelScope()
    _, far = faulty(fault, 1, scope)
    with scope, contextlib.suppress(trio.BrokenResourceError, MemoryError):
        await far.aclose()
    assert far.inner.closed


async def test_chance_cuts_what_comes_and_loses_none_of_it(
    autojump_clock: trio.testing.MockClock,
) -> None:
    near, far = memory_pair()
    transport = FaultyTransport(far, chance=Chance(1))
    await near.send_all(b"abcdefgh" * 200)
    await near.aclose()
    pieces = []
    while piece := await transport.receive_some():
        pieces.append(piece)
    assert b"".join(pieces) == b"abcdefgh" * 200
    assert len({len(piece) for piece in pieces}) > 1
