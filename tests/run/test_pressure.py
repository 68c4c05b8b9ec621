"""Memory pressure: load is shed before the system kills the process (E4)."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio
import trio.testing

from tests.wire.handlers import GET, Served
from tests.wire.talking import End, Talking, answer, answers, talking
from trioweb.message.request import Request
from trioweb.message.response import Response
from trioweb.run.pressure import (
    LOOK,
    QUIET,
    SOON,
    UNLIMITED,
    Group,
    Memory,
    judge,
    limited,
    relieved,
    tightest,
)
from trioweb.wire.load import CONTENT, Level

EASE, SOFT, HARD = Level

MIB = 1 << 20

JUDGED = [
    ("nothing is used", 0, EASE, EASE),
    ("just below soft", 899, EASE, EASE),
    ("soft", 900, EASE, SOFT),
    ("just below hard", 949, EASE, SOFT),
    ("hard at once", 950, EASE, HARD),
    ("more than there may be", 1100, EASE, HARD),
    ("soft stays until 5 % lower", 850, SOFT, SOFT),
    ("soft ends", 849, SOFT, EASE),
    ("soft becomes hard at the same figure as ease", 949, SOFT, SOFT),
    ("soft becomes hard", 950, SOFT, HARD),
    ("hard stays until 5 % lower", 900, HARD, HARD),
    ("hard becomes soft", 899, HARD, SOFT),
    ("hard passes by soft", 849, HARD, EASE),
    ("less than nothing: all is cache", -5, HARD, EASE),
]


@pytest.mark.parametrize(
    ("used", "before", "after"),
    [case[1:] for case in JUDGED],
    ids=[case[0] for case in JUDGED],
)
def test_e4_the_level_follows_from_what_is_used(
    used: int, before: Level, after: Level
) -> None:
    assert judge(Memory(used, 1000), before) is after


class System:
    """A directory that says what a system would about its control groups."""

    def __init__(self, at: Path) -> None:
        self.process = at / "process"
        self.mounted = at / "mounted"
        self.mounted.mkdir()

    def v2(
        self, path: str, limit: int | str, used: int = 0, cache: int | None = 0
    ) -> Path:
        """One group of version 2."""
        folder = self.mounted / path
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "memory.max").write_text(f"{limit}\n")
        (folder / "memory.current").write_text(f"{used}\n")
        said = "" if cache is None else f"inactive_file {cache}\n"
        (folder / "memory.stat").write_text(f"anon 7\n{said}active_file 5\n")
        return folder

    def v1(self, path: str, limit: int, used: int, cache: int) -> None:
        """One group of version 1."""
        folder = self.mounted / "memory" / path
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "memory.limit_in_bytes").write_text(f"{limit}\n")
        (folder / "memory.usage_in_bytes").write_text(f"{used}\n")
        (folder / "memory.stat").write_text(
            f"inactive_file 1\ntotal_inactive_file {cache}\n"
        )

    def limited(self, *lines: str) -> list[Group]:
        """What is found by a process that is in the groups of *lines*."""
        self.process.write_text("".join(f"{line}\n" for line in lines))
        return limited(self.process, self.mounted)


@pytest.fixture
def system(tmp_path: Path) -> System:
    return System(tmp_path)


def test_e4_what_was_read_from_files_and_is_not_in_use_does_not_count(
    system: System,
) -> None:
    system.v2("app", 1000, used=700, cache=200)
    assert tightest(system.limited("0::/app")) == Memory(500, 1000)
    system.v2("app", 1000, used=700, cache=None)
    assert tightest(system.limited("0::/app")) == Memory(700, 1000)


def test_e4_the_group_with_the_least_left_counts(system: System) -> None:
    system.v2("slice", 2000, used=1900)
    system.v2("slice/app", 1000, used=500)
    system.v2("slice/app/worker", "max", used=400)
    groups = system.limited("0::/slice/app/worker")
    assert len(groups) == 2
    assert tightest(groups) == Memory(1900, 2000)


def test_e4_in_a_container_the_root_is_our_own_group(system: System) -> None:
    system.v2("", 1000, used=300)
    # As the host sees it, and as one who was moved out of its namespace.
    for path in ("/kubepods/pod1/abc", "/../abc", "/"):
        assert tightest(system.limited(f"0::{path}")) == Memory(300, 1000)


def test_e4_version_1_is_asked_where_it_has_the_memory(system: System) -> None:
    system.v1("", 0x7FFFFFFFFFFFF000, 5000, 0)
    system.v1("app", 1000, 700, 200)
    groups = system.limited("9:name=systemd:/", "4:cpu,memory:/app", "0::/")
    assert [tightest([group]) for group in groups] == [Memory(500, 1000)]


def test_e4_a_process_without_a_limit_has_no_groups(system: System) -> None:
    assert limited(system.process, system.mounted) == []  # no such file
    assert system.limited() == []
    assert system.limited("3:cpu:/app") == []
    assert system.limited("0::/app") == []  # version 2 without the memory
    system.v2("app", "max", used=5000)
    assert system.limited("0::/app") == []
    system.v1("app", UNLIMITED, 5000, 0)
    assert system.limited("4:memory:/app") == []
    system.v2("odd", "plenty")
    assert system.limited("0::/odd") == []


def test_e4_what_this_system_says_is_read() -> None:
    memory = tightest(limited())
    if memory is None:
        pytest.skip("no control group of this process has a limit on memory")
    assert 0 < memory.used <= memory.limit


@contextlib.asynccontextmanager
async def pressed(
    served: Served, system: System
) -> AsyncIterator[tuple[Talking, Path]]:
    """A connection to a service in a group of 200 MiB, of which 100 are in use."""
    folder = system.v2("app", 200 * MIB, used=100 * MIB)
    groups = system.limited("0::/app")
    async with talking(served) as talk, relieved(talk.service, groups):
        yield talk, folder


def use(folder: Path, mib: int) -> None:
    (folder / "memory.current").write_text(f"{mib * MIB}\n")


async def test_e4_without_a_limit_no_task_runs() -> None:
    async with talking(Served()) as talk:
        task = trio.lowlevel.current_task()
        before = len(task.child_nurseries)
        async with relieved(talk.service, []):
            assert len(task.child_nurseries) == before
            assert talk.service.load.look is None


async def test_e4_each_change_of_level_is_one_line(
    autojump_clock: trio.testing.MockClock, system: System
) -> None:
    async with pressed(Served(), system) as (talk, folder):
        levels = []
        for mib in (179, 180, 189, 171, 190, 181, 179, 170, 169, 169):
            use(folder, mib)
            await trio.sleep(LOOK * 3)
            levels.append(talk.service.load.level)
        # Nobody can tell for a moment: it stays as it is.
        (folder / "memory.current").unlink()
        await trio.sleep(LOOK * 3)
    assert levels == [EASE, SOFT, SOFT, SOFT, HARD, HARD, SOFT, SOFT, EASE, EASE]
    assert talk.service.load.level is EASE
    short = "memory runs short, connections end after their next answer"
    out = "memory has nearly run out, requests are answered with 503"
    assert [record.getMessage() for record in talk.logs] == [
        f"{short}: 180 of 200 MiB are in use",
        f"{out}: 190 of 200 MiB are in use",
        f"{short}: 179 of 200 MiB are in use",
        "there is enough memory again: 169 of 200 MiB are in use",
    ]


async def test_e4_who_waits_for_another_request_goes_but_not_who_is_new(
    autojump_clock: trio.testing.MockClock, system: System
) -> None:
    served = Served()
    async with (
        pressed(served, system) as (idle, folder),
        talking(served) as new,
        relieved(new.service, system.limited("0::/app")),
    ):
        await idle.send(GET)
        use(folder, 185)
        await trio.sleep(LOOK * 3)
        assert idle.end is End.FIN
        assert new.end is None
        await new.send(GET)
        await new.farewell()
    assert answer(idle).status == answer(new).status == 200
    assert "connection" not in answer(idle).headers
    assert answer(new).headers["connection"] == "close"


async def test_e4_content_is_counted_between_two_looks(
    autojump_clock: trio.testing.MockClock, system: System
) -> None:
    levels: set[Level] = set()

    async def upload(request: Request) -> Response:
        async for _ in request.stream(limit=2 * CONTENT):
            levels.add(talk.service.load.level)
        return Response(200)

    folder = system.v2("app", 200 * MIB, used=100 * MIB)
    groups = system.limited("0::/app")
    async with talking(upload) as talk, relieved(talk.service, groups):
        await trio.testing.wait_all_tasks_blocked()
        use(folder, 195)
        began = trio.current_time()
        size = CONTENT + MIB
        await talk.send(
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size,
            *[bytes(MIB)] * (size // MIB - 1),
        )
        assert trio.current_time() - began < LOOK
        await talk.farewell()
    assert answer(talk, "POST").status == 503
    assert levels == {EASE, HARD}


async def test_e4_who_comes_soon_after_memory_is_free_again_is_answered(
    autojump_clock: trio.testing.MockClock, system: System
) -> None:
    async with pressed(Served(), system) as (talk, folder):
        for _ in range(3):
            use(folder, 195)
            talk.service.load.add(CONTENT)
            assert talk.service.load.level is HARD
            use(folder, 100)
            await trio.sleep(SOON * 3)
            assert talk.service.load.level is EASE
        assert trio.current_time() < LOOK
        await trio.sleep(QUIET + LOOK)
    # What came and went in between is not told.
    assert [record.getMessage().partition(":")[0] for record in talk.logs] == [
        "memory has nearly run out, requests are answered with 503",
        "there is enough memory again",
    ]


async def test_e4_a_server_that_stops_looks_no_more(
    autojump_clock: trio.testing.MockClock, system: System
) -> None:
    folder = system.v2("app", 200 * MIB, used=100 * MIB)
    async with talking(Served()) as talk:
        async with relieved(talk.service, system.limited("0::/app")):
            await trio.testing.wait_all_tasks_blocked()
        use(folder, 195)
        talk.service.load.add(CONTENT)
        await trio.sleep(LOOK * 3)
        assert talk.service.load.level is EASE
        await talk.send(GET, GET)
        assert [each.status for each in answers(talk)] == [200, 200]
