"""session_redis.py, run as processes: two servers count the visits of one visitor."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from tests.clients.process import Way, both_ways, by_python, curl, serving
from tests.clients.redis import RedisServer
from tests.needs import needs

PATH = "examples/session_redis.py"


@needs("curl")
@both_ways
async def test_two_servers_and_a_third_count_the_visits_of_one_visitor(
    way: Way, own_redis: Callable[..., RedisServer], tmp_path: Path
) -> None:
    jar = ["-c", str(tmp_path / "jar"), "-b", str(tmp_path / "jar")]
    env = {"REDIS_URL": own_redis().url}

    async def count(url: str, visitor: list[str]) -> int:
        answer = await curl(*visitor, url)
        found = re.fullmatch(r"You have been here (\d+) times.\n", answer.body)
        assert found is not None, answer
        return int(found[1])

    async with serving(way(PATH), env=env) as one:
        async with serving(way(PATH), env=env) as other:
            urls = [one.url, other.url, one.url, other.url]
            assert [await count(url, jar) for url in urls] == [1, 2, 3, 4]
            assert await count(one.url, []) == 1
        assert await one.stop() == 0
    async with serving(way(PATH), env=env) as third:
        assert await count(third.url, jar) == 5


@needs("curl")
async def test_without_its_server_it_starts_and_refuses(
    own_redis: Callable[..., RedisServer],
) -> None:
    redis = own_redis()
    redis.stop()
    async with serving(by_python(PATH), env={"REDIS_URL": redis.url}) as server:
        assert (await curl(server.url)).status == 503
        redis.start()
        for _ in range(200):
            if (answer := await curl(server.url)).status == 200:
                break
        assert answer.body == "You have been here 1 times.\n"
