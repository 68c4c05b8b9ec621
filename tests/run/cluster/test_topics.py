"""Topics between real workers: each hears everything once, whatever befalls the others.

Each message is a number, so that what was heard twice, out of order or not at all shows
by itself.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from tests.clients.process import ROOT
from tests.run.cluster.crews import PATIENCE, Crew, crewed, said, until

Heard = dict[int, list[int]]


@asynccontextmanager
async def talking(workers: int = 2) -> AsyncIterator[Crew]:
    command: list[str | Path] = [sys.executable, "-m", "trioweb", "run"]
    command += [ROOT / "tests/apps/talk.py", "--workers", str(workers)]
    command += ["--bind", "127.0.0.1:0", "--access-log", "off"]
    async with crewed(program=command) as crew:
        await crew.everybody(workers)
        yield crew


async def heard(crew: Crew, pids: set[int]) -> Heard:
    """What each of these workers has heard."""
    found: Heard = {}
    with trio.fail_after(PATIENCE):
        while found.keys() != pids:
            answer = json.loads(await crew.ask("GET /heard") or b'{"pid": 0}')
            if answer["pid"] in pids:
                found[answer["pid"]] = answer["heard"]
    return found


async def say(crew: Crew, number: int) -> bool:
    """Publish a number; whether that was confirmed."""
    return bool(await crew.ask("POST /say/room", json.dumps(number).encode()))


async def all_hear(crew: Crew, pids: set[int], *numbers: int) -> Heard:
    """What was heard when all of them have heard these.

    The last alone would not do: what came by another worker may come later.
    """
    with trio.fail_after(PATIENCE):
        while True:
            found = await heard(crew, pids)
            if all(set(numbers) <= set(each) for each in found.values()):
                return found
            await trio.sleep(0.02)


async def test_each_worker_hears_each_message_once_and_in_order() -> None:
    async with talking() as crew:
        pids = await crew.everybody(2)
        async with trio.open_nursery() as publishing:
            for first in range(0, 1000, 100):
                publishing.start_soon(crew.ask, f"POST /count/{first}")
        found = await all_hear(crew, pids, *range(1000))
        for each in found.values():
            assert sorted(each) == [*range(1000)]
            for first in range(0, 1000, 100):
                own = [n for n in each if first <= n < first + 100]
                assert own == [*range(first, first + 100)]
        assert await crew.stop() == 0


async def test_a_reload_loses_no_message_of_those_who_are_there() -> None:
    async with talking() as crew:
        before = await crew.everybody(2)
        said_so_far: list[int] = []

        async def publish() -> None:
            for number in range(100_000):
                assert await say(crew, number)
                said_so_far.append(number)

        async with trio.open_nursery() as publishing:
            publishing.start_soon(publish)
            crew.kill(crew.pid, signal.SIGHUP)
            after = await crew.everybody(2, but=before)
            await until(lambda: not crew.workers() & before)
            publishing.cancel_scope.cancel(reason="enough")
        await say(crew, 1_000_000)
        last = said_so_far[-3:]
        for each in (await all_hear(crew, after, *last, 1_000_000)).values():
            # Cancelled right then, one more may have been said.
            numbers = sorted(number for number in each if number < 1_000_000)
            assert numbers[-1] in {said_so_far[-1], said_so_far[-1] + 1}
            assert numbers == [*range(numbers[0], numbers[-1] + 1)]
        assert await crew.stop() == 0


async def test_a_kill_takes_only_what_was_in_its_hands() -> None:
    async with talking() as crew:
        first, second = sorted(await crew.everybody(2))
        confirmed: list[int] = []

        async def publish() -> None:
            for number in range(100_000):
                done = await say(crew, number)
                confirmed.extend([number] * done)

        async with trio.open_nursery() as publishing:
            publishing.start_soon(publish)
            await until(lambda: len(confirmed) > 50)
            crew.kill(first)
            await crew.everybody(2, but={first})
            publishing.cancel_scope.cancel(reason="enough")
        missed = set(confirmed)
        with trio.fail_after(PATIENCE):
            # One may have been confirmed by who was killed before it had left.
            while len(missed) > 1:
                (each,) = (await heard(crew, {second})).values()
                missed = set(confirmed) - set(each)
        assert len(each) == len(set(each))
        assert await crew.stop() == 0


async def test_a_worker_that_stands_still_delays_nobody_and_fills_no_memory() -> None:
    async with talking(3) as crew:
        still, *others = sorted(await crew.everybody(3))
        before = memory(crew.pid)
        crew.kill(still, signal.SIGSTOP)
        told = 0
        while told < 4:  # 40 MB, though each second connection is taken by nobody
            with trio.move_on_after(2):
                told += await crew.ask("POST /flood/200/50000") == b"told"
        assert memory(crew.pid) - before < 24 << 20
        while True:
            with trio.move_on_after(2) as late:
                await say(crew, 1_000_000)
            if not late.cancelled_caught:
                break
        async with trio.open_nursery() as asking:

            async def hear() -> None:
                await all_hear(crew, set(others), 1_000_000)
                asking.cancel_scope.cancel(reason="they have heard it")

            for _ in range(8):  # some of which the one that stands still holds
                asking.start_soon(hear)
        crew.kill(still, signal.SIGCONT)
        found = await all_hear(crew, {still}, 1_000_000)
        assert len(found[still]) < 800
        await until(lambda: "messages of topics" in said(crew.server))
        assert await crew.stop() == 0


async def test_streams_in_all_workers_get_it_and_end_well_with_the_server() -> None:
    async with talking() as crew, trio.open_nursery() as listening:
        heard_by = dict.fromkeys(range(8), b"")
        for number in heard_by:
            listening.start_soon(listen, crew, heard_by, number)
        await until(lambda: all(heard_by.values()))
        assert await say(crew, 1)
        assert await say(crew, 2)
        await until(lambda: all(b"\r\n2\n\r\n" in each for each in heard_by.values()))
        assert await crew.stop() == 0
    for each in heard_by.values():
        assert each.count(b"\r\n1\n\r\n") == 1
        assert each.endswith(b"0\r\n\r\n")  # the last chunk: nothing was cut


async def listen(crew: Crew, heard_by: dict[int, bytes], number: int) -> None:
    """Hear a stream to its end."""
    async with await trio.open_tcp_stream(crew.host, crew.port) as stream:
        await stream.send_all(b"GET /listen HTTP/1.1\r\nhost: a\r\n\r\n")
        async for piece in stream:
            heard_by[number] += piece


def memory(pid: int) -> int:
    """Bytes of a process in RAM."""
    pages = Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]
    return int(pages) * 4096
