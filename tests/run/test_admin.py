"""The admin listener, asked by curl: figures and probes, of one process and of several.

It listens on a Unix socket, whose name needs no free port.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import trio

from tests.clients.process import (
    ROOT,
    Answer,
    Program,
    curl,
    output,
    serving,
    started,
)
from tests.needs import needs
from tests.run.cluster.crews import PATIENCE, Crew, crewed
from tests.run.test_exposition import samples
from tests.run.test_figures import Found, at

pytestmark = needs("curl")

APP = ROOT / "tests/apps/counted.py"

one_and_two = pytest.mark.parametrize(
    "workers", [[], ["--workers", "2"]], ids=["one process", "two workers"]
)


@dataclass(frozen=True)
class Admin:
    """The admin listener behind a Unix socket."""

    socket: Path

    async def ask(self, path: str) -> Answer:
        return await curl("--unix-socket", str(self.socket), f"http://admin{path}")

    async def figures(self) -> Found:
        answer = await self.ask("/metrics")
        assert answer.status == 200
        assert "content-type: text/plain; version=0.0.4; charset=utf-8" in answer.fields
        return samples(answer.body)

    async def ready(self) -> int:
        return (await self.ask("/readyz")).status


def command(folder: Path, *options: str) -> list[str | Path]:
    words: list[str | Path] = [sys.executable, "-m", "trioweb", "run", APP]
    words += ["--bind", "127.0.0.1:0", "--admin", f"unix:{folder}/admin"]
    return [*words, "--access-log", "off", *options]


@asynccontextmanager
async def counted(folder: Path, *options: str) -> AsyncIterator[tuple[Crew, Admin]]:
    async with crewed(program=command(folder, *options)) as crew:
        yield crew, Admin(folder / "admin")


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    with trio.fail_after(PATIENCE):
        while not await true():  # noqa: ASYNC110  # there is no event to wait for
            await trio.sleep(0.05)


async def order(crew: Crew, paid: str = "card") -> int:
    """Order something; the process that took it, 0 if none has said so."""
    answer = await crew.ask(f"POST /order/{paid}")
    return int(json.loads(answer)["pid"]) if answer else 0


@one_and_two
async def test_what_is_asked_for_is_counted(tmp_path: Path, workers: list[str]) -> None:
    async with counted(tmp_path, *workers) as (crew, admin):
        for number in range(30):
            assert await order(crew, paid=["card", "cash", "cash"][number % 3])
        await crew.ask("GET /nothing/here")

        async def told() -> bool:
            place = ("orders_total", frozenset({("paid", "cash")}))
            return (await admin.figures()).get(place) == 20

        await until(told)
        found = await admin.figures()
        assert at(found, "orders_total", paid="card") == 10
        assert at(found, "order_items_bucket", le="2") == 0
        assert at(found, "order_items_bucket", le="5") == 30
        assert at(found, "order_items_sum") == 90
        route = {"method": "POST", "route": "/order/{paid}"}
        assert at(found, "http_requests_total", status="2xx", **route) == 30
        assert at(found, "http_request_duration_seconds_count", **route) == 30
        assert at(found, "trioweb_connections") >= 0
        assert at(found, "trioweb_session_store_failures_total") == 0
        assert at(found, "trioweb_memory_bytes") > 1 << 20
        missing = {"method": "GET", "route": "", "status": "4xx"}
        assert at(found, "http_requests_total", **missing) == 1
        assert await crew.stop() == 0


@one_and_two
async def test_the_application_tells_the_same(
    tmp_path: Path, workers: list[str]
) -> None:
    async with counted(tmp_path, *workers) as (crew, _):
        takers: set[int] = set()
        while len(takers) < max(1, len(workers)):
            takers.add(await order(crew))

        async def told() -> bool:
            found = samples((await crew.ask("GET /metrics")).decode())
            return at(found, "orders_total", paid="card") >= len(takers)

        await until(told)
        assert await crew.ask("GET /health/live") == b"live\n"
        assert await crew.ask("GET /health/ready") == b"ready\n"
        assert await crew.stop() == 0


async def test_no_counter_goes_down_through_a_kill_and_a_reload(tmp_path: Path) -> None:
    async with counted(tmp_path, "--workers", "2") as (crew, admin):
        await crew.everybody(2)
        confirmed = 0
        async with trio.open_nursery() as watching:
            watching.start_soon(watch, admin)
            for harm in (kill, reload):
                for _ in range(20):
                    confirmed += await order(crew) > 0
                await trio.sleep(1.5)  # until all of it must have been told
                await harm(crew)
            watching.cancel_scope.cancel(reason="enough")

        async def told() -> bool:
            found = await admin.figures()
            return at(found, "orders_total", paid="card") == confirmed

        await until(told)
        found = await admin.figures()
        assert at(found, "trioweb_worker_starts_total") == 2 + 1 + 2
        assert at(found, "trioweb_worker_losses_total") == 1
        assert await crew.stop() == 0


async def watch(admin: Admin) -> None:
    """See to it that nothing goes down but what is at hand."""
    before: Found = {}
    while True:
        now = await admin.figures()
        for place, value in before.items():
            if place[0].endswith(("_total", "_count", "_sum", "_bucket")):
                assert now[place] >= value, place
        before = now
        await trio.sleep(0.05)


async def kill(crew: Crew) -> None:
    one = min(await crew.everybody(2))
    crew.kill(one)
    await crew.everybody(2, but={one})


async def reload(crew: Crew) -> None:
    both = await crew.everybody(2)
    crew.kill(crew.pid, signal.SIGHUP)
    await crew.everybody(2, but=both)


@one_and_two
async def test_it_is_ready_when_somebody_serves(
    tmp_path: Path, workers: list[str]
) -> None:
    gate = tmp_path / "gate"
    env = {"COUNTED_WAITS": str(gate)}
    async with started(command(tmp_path, *workers), env=env) as program:
        admin = Admin(tmp_path / "admin")
        await until(lambda: answers(admin))
        assert await admin.ready() == 503
        gate.touch()

        async def ready() -> bool:
            return await admin.ready() == 200

        await until(ready)
        assert (await admin.ask("/healthz")).status == 200
        assert await program.stop() == 0


async def answers(admin: Admin) -> bool:
    """Whether anybody listens there, and all is well with them."""
    if not await trio.Path(admin.socket).exists():
        return False
    return (await admin.ask("/healthz")).status == 200


@one_and_two
async def test_a_drain_delay_says_so_before_anything_else_stops(
    tmp_path: Path, workers: list[str]
) -> None:
    options = [*workers, "--drain-delay", "3"]
    async with counted(tmp_path, *options) as (crew, admin):
        crew.workers()
        crew.kill(crew.pid, signal.SIGTERM)

        async def unready() -> bool:
            return await admin.ready() == 503

        await until(unready)
        assert (await admin.ask("/healthz")).status == 200
        assert await order(crew)  # which goes on as ever
        answer = await curl(f"http://{crew.host}:{crew.port}/health/ready")
        assert (answer.status, answer.body) == (503, "not ready\n")
        assert await crew.ended() == 0
        await crew.gone()


@one_and_two
async def test_a_second_signal_cuts_the_delay_short(
    tmp_path: Path, workers: list[str]
) -> None:
    options = [*workers, "--drain-delay", "600"]
    async with counted(tmp_path, *options) as (crew, admin):
        crew.workers()
        crew.kill(crew.pid, signal.SIGTERM)

        async def unready() -> bool:
            return await admin.ready() == 503

        await until(unready)
        crew.kill(crew.pid, signal.SIGTERM)
        assert await crew.ended() == 0
        await crew.gone()


async def test_while_it_stops_it_is_alive_but_not_ready(tmp_path: Path) -> None:
    async with counted(tmp_path, "--workers", "2") as (crew, admin):
        async with trio.open_nursery() as asking:
            asking.start_soon(crew.ask, "GET /sleep/2")
            await trio.sleep(0.3)
            crew.workers()
            crew.kill(crew.pid, signal.SIGTERM)

            async def unready() -> bool:
                return await admin.ready() == 503

            await until(unready)
            assert (await admin.ask("/healthz")).status == 200
        assert await crew.ended() == 0
        await crew.gone()


@one_and_two
async def test_a_place_that_is_taken_ends_the_start(
    tmp_path: Path, workers: list[str]
) -> None:
    async with serving(command(tmp_path)) as first:
        async with started(command(tmp_path, *workers)) as second:
            assert isinstance(second, Program)
            with trio.fail_after(PATIENCE):
                assert await second.process.wait() == 1
            assert b"admin" in second.said
        assert await first.stop() == 0


async def test_promises_of_a_supervisor_hold_with_an_admin(tmp_path: Path) -> None:
    async with counted(tmp_path, "--workers", "2") as (crew, admin):
        await crew.everybody(2)
        assert await admin.ready() == 200
        threads = await output("ls", f"/proc/{crew.pid}/task")
        assert len(threads.split()) == 1
        for _ in range(3):
            await admin.figures()
        assert await crew.stop() == 0
        assert not await trio.Path(admin.socket).exists()
