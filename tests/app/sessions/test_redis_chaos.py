"""RedisStore over a line that fails at random: nothing is lost or counted twice."""

from __future__ import annotations

import random
from collections.abc import Sequence

import trio

from tests.clients.redis import Proxy, RedisServer, proxied
from trioweb.app.app import App
from trioweb.app.sessions.layer import sessions
from trioweb.app.sessions.redis import RedisStore
from trioweb.app.sessions.redis_breaker import PAUSE
from trioweb.message.request import Request
from trioweb.testing import client
from trioweb.testing.httpx_client import Client

VISITORS = ("ada", "bob", "eve")
REQUESTS = 100  # of each


def application(url: str, prefix: str) -> App:
    app = App()
    app.use(sessions(RedisStore(url, prefix=prefix)))

    @app.get("/begin/{who}")
    async def begin(request: Request, who: str) -> str:
        request.session["who"] = who
        return who

    @app.get("/count")
    async def count(request: Request) -> list[object]:
        n = await request.session.update("n", lambda n: (n or 0) + 1)
        return [request.session["who"], n]

    return app


async def test_each_sees_what_is_theirs_and_every_update_counts_once(
    redis_server: RedisServer, redis_prefix: str
) -> None:
    async with (
        proxied(redis_server) as proxy,
        client(application(proxy.url, redis_prefix)) as browser,
    ):
        cookies = [await begun(browser, who) for who in VISITORS]
        async with trio.open_nursery() as failing:
            failing.start_soon(fail, proxy)
            tallies = await tallied(browser, cookies)
            failing.cancel_scope.cancel(reason="all have asked")
        proxy.cut = None
        await trio.sleep(PAUSE)  # until the store asks again
        for who, cookie, answered in zip(VISITORS, cookies, tallies, strict=True):
            found, n = (await browser.get("/count", headers=cookie)).json()
            assert found == who
            # What was refused may have happened, or may not.
            assert answered < n <= REQUESTS + 1
        assert 0 < sum(tallies) < REQUESTS * len(VISITORS)


async def begun(browser: Client, who: str) -> dict[str, str]:
    identity = (await browser.get(f"/begin/{who}")).cookies["sid"]
    browser.cookies.clear()
    return {"cookie": f"sid={identity}"}


async def fail(proxy: Proxy) -> None:
    """Reset a connection after some bytes, again and again."""
    chance = random.Random(4)
    while True:
        proxy.cut = chance.choice([None, None, None, chance.randrange(300)])
        await trio.sleep(0.01)


async def tallied(browser: Client, cookies: Sequence[dict[str, str]]) -> list[int]:
    """How many updates each visitor was told have happened."""
    tallies = [0] * len(cookies)

    async def ask(number: int) -> None:
        for _ in range(REQUESTS):
            answer = await browser.get("/count", headers=cookies[number])
            if answer.status_code == 200:
                assert answer.json()[0] == VISITORS[number]
                tallies[number] += 1
            else:
                assert answer.status_code == 503
                await trio.sleep(0.02)

    async with trio.open_nursery() as asking:
        for number in range(len(cookies)):
            asking.start_soon(ask, number)
    return tallies
