"""What sessions cost, and whether a kill loses one: the commands at their smallest."""

from __future__ import annotations

import io
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from benchmarks.load import Measurement
from benchmarks.progress import Progress
from benchmarks.rounds import Measured, Spread, check, start
from benchmarks.serving import NotServing
from benchmarks.sessions.__main__ import HEADINGS, table, told
from benchmarks.sessions.kills import Toll, kill_all
from benchmarks.sessions.peers import all_of, trioweb
from benchmarks.sessions.rounds import added
from benchmarks.sessions.visitors import works
from benchmarks.works import Work


@pytest.mark.parametrize("kind", ["memory", "sqlite", "cookie"])
async def test_every_visitor_of_ours_is_known_after_a_first_visit(
    kind: str, tmp_path: Path
) -> None:
    async with AsyncExitStack() as serving:
        server = await start(trioweb(kind, str(tmp_path / "sessions")), serving)
        its = await works(server.port, 3)
        assert [work.name for work in its] == ["none", "load", "save"]
        assert len({*its[0].cookies}) == 3
        await check(server, its)
        strangers = Work("load", "GET", "/load", b"", b"known", ("sid=nobody",))
        with pytest.raises(NotServing, match="unknown"):
            await check(server, [strangers])


async def test_no_acknowledged_write_is_lost_by_a_kill() -> None:
    toll = await kill_all(3, 7, Progress(io.StringIO()))
    assert (toll.kills, toll.lost, toll.unasked) == (3, 0, 0)
    assert toll.acknowledged >= 6
    assert "0 lost" in told(toll)


async def test_a_store_that_forgets_is_found_out() -> None:
    toll = await kill_all(1, 7, Progress(io.StringIO()), "memory")
    assert toll.lost == toll.acknowledged
    assert f"{toll.lost} lost" in told(Toll(lost=toll.lost))


def measurement(processor: float) -> Measurement:
    return Measurement(processor=processor, rate=1000, p50=1, p99=2, rss=1)


def test_each_server_is_compared_with_itself_without_a_session() -> None:
    costs = {"none": [100, 120], "load": [110, 132], "save": [120, 150]}
    measured: Measured = {
        (work, peer): [measurement(cost * times) for cost in found]
        for peer, times in (("trioweb-memory", 1), ("express-memory", 2))
        for work, found in costs.items()
    }
    assert added(measured, "save", "trioweb-memory") == Spread(25, 20, 30)
    kept = all_of(Path("/nowhere"), 0)[:2]
    lines = table(kept, measured).splitlines()
    assert len(lines) == 4
    cells = [cell.strip() for cell in lines[3].strip("| ").split(" | ")]
    assert len(cells) == len(HEADINGS)
    assert cells[:2] == ["memory", "express-memory"]
    assert cells[4:] == [
        "50.0 (40.0–60.0)",
        "1.10",
        "1.23",
        "0.50",
        "1000 / 1000 / 1000",
    ]


def test_kinds_of_stores_are_compared_with_ours_first() -> None:
    first: dict[str, str] = {}
    for each in all_of(Path("/nowhere"), 0):
        first.setdefault(each.kind, each.peer.name)
    assert all(name == f"trioweb-{kind}" for kind, name in first.items())
