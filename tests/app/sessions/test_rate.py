"""Rate: how many sessions one address may begin (N5)."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from trioweb.app.app import App
from trioweb.app.sessions.layer import sessions
from trioweb.app.sessions.memory import MemoryStore
from trioweb.app.sessions.rate import ADDRESSES, Rate
from trioweb.message.errors import SetupError, TooManyRequests
from trioweb.message.request import Request
from trioweb.testing import client


def admitted(rate: Rate, host: str, tries: int = 100) -> int:
    count = 0
    for _ in range(tries):
        try:
            rate.admit(host)
        except TooManyRequests:
            break
        count += 1
    return count


async def test_n5_an_address_begins_so_many_and_then_waits(
    autojump_clock: MockClock,
) -> None:
    rate = Rate(6)
    assert admitted(rate, "192.0.2.1") == 6
    assert admitted(rate, "192.0.2.2") == 6
    await trio.sleep(10)
    assert admitted(rate, "192.0.2.1") == 1
    with pytest.raises(TooManyRequests) as refused:
        rate.admit("192.0.2.1")
    assert refused.value.headers["retry-after"] == "11"
    await trio.sleep(600)
    assert admitted(rate, "192.0.2.1") == 6


async def test_n5_a_network_of_ipv6_counts_as_one() -> None:
    rate = Rate(2)
    assert admitted(rate, "2001:db8::1", 1) + admitted(rate, "2001:db8::2", 1) == 2
    assert admitted(rate, "2001:db8::3") == 0
    assert admitted(rate, "2001:db8:0:1::3") == 2
    assert admitted(rate, "unix") == 2


async def test_n5_less_than_one_a_minute_still_begins(
    autojump_clock: MockClock,
) -> None:
    rate = Rate(0.5)
    assert admitted(rate, "192.0.2.1") == 1
    await trio.sleep(121)
    assert admitted(rate, "192.0.2.1") == 1


async def test_n5_what_is_remembered_is_bounded() -> None:
    rate = Rate(1)
    for number in range(ADDRESSES + 1):
        rate.admit(f"host {number}")
    assert admitted(rate, f"host {ADDRESSES}") == 0
    assert admitted(rate, "host 0") == 1  # forgotten


@pytest.mark.parametrize("most", [0, -1, float("inf"), float("nan")])
def test_n5_a_rate_is_a_number(most: float) -> None:
    with pytest.raises(SetupError, match=r"test_rate\.py:\d+: new_per_minute"):
        sessions(new_per_minute=most)


async def test_n5_who_begins_too_many_is_refused_and_who_has_one_goes_on() -> None:
    store, app = MemoryStore(), App()
    app.use(sessions(store, new_per_minute=3))

    @app.get("/")
    async def count(request: Request) -> str:
        return str(await request.session.update("n", lambda n: (n or 0) + 1))

    @app.get("/read")
    async def read(request: Request) -> str:
        return str(request.session.get("n"))

    async with client(app) as visitor:
        assert [(await visitor.get("/")).text for _ in range(10)] == [
            str(n) for n in range(1, 11)
        ]
        statuses = []
        for _ in range(4):
            visitor.cookies.clear()
            statuses.append((await visitor.get("/")).status_code)
        visitor.cookies.clear()
        assert statuses == [200, 200, 429, 429]
        assert (await visitor.get("/read")).text == "None"
        assert len(store) == 3
