"""The comparison at its smallest: servers that are measured, and one that fails."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from benchmarks.__main__ import main, section, told
from benchmarks.comparison import Comparison, Found, able, expected
from benchmarks.forecast import Forecast
from benchmarks.material import Material, made
from benchmarks.memos import rates
from benchmarks.peer import Peer
from benchmarks.peers import PEERS, TRIOWEB
from benchmarks.progress import Progress
from benchmarks.rounds import check, start
from benchmarks.serving import NotServing
from benchmarks.works import HOLDS, WORKS, Generator, Hold, Served
from tests.needs import needs

BY_NAME = {work.name: work for work in WORKS}
HTTP2 = {Generator.STREAMS, Generator.TRANSFERS}

# It serves files, and knows of no other work.
OTHER = Peer(
    name="other",
    command=("{python}", "-m", "http.server", "--bind", "127.0.0.1", "{port}"),
    version=("{python}", "--version"),
    works=frozenset({"plaintext", "idle"}),
)


@pytest.fixture
def material() -> Iterator[Material]:
    with made() as material:
        yield material


def comparison(material: Material, out: io.StringIO, *, rounds: int = 2) -> Comparison:
    return Comparison(rounds, 1, material, Progress(out), Forecast(10))


def test_every_work_is_one_that_a_server_can_be_asked_for() -> None:
    names = [work.name for work in (*WORKS, *HOLDS)]
    assert len(set(names)) == len(names)
    assert TRIOWEB.works == set(names)
    assert set().union(*(peer.works for peer in PEERS)) == set(names)


@pytest.mark.parametrize("served", Served, ids=lambda served: served.value)
async def test_ours_answers_as_it_should(served: Served, material: Material) -> None:
    works = [work for work in WORKS if work.served is served and not work.visits]
    works = [work for work in works if work.generator not in HTTP2]
    async with AsyncExitStack() as serving:
        server = await start(TRIOWEB, serving, served=served, material=material)
        await check(server, works, material)
        with pytest.raises(NotServing, match="trioweb answers"):
            await check(server, [replace(works[0], answer=b"else")], material)


@needs("curl")
async def test_ours_answers_as_it_should_by_http2(material: Material) -> None:
    works = [work for work in WORKS if work.generator in HTTP2]
    async with AsyncExitStack() as serving:
        server = await start(TRIOWEB, serving, served=Served.TLS, material=material)
        await check(server, works, material)
        with pytest.raises(NotServing, match="no answer to h2"):
            await check(server, works)
        # A certificate that nobody has made is no secret kept.
        with made() as another, pytest.raises(NotServing, match="no answer to https"):
            await check(server, [BY_NAME["https"]], another)


@needs("wrk")
async def test_who_fails_is_left_out_and_the_others_are_measured(
    material: Material,
) -> None:
    out = io.StringIO()
    peers = [TRIOWEB, OTHER]
    found = await comparison(material, out).of([BY_NAME["plaintext"]], peers)
    assert found.loads.keys() == {("plaintext", "trioweb")}
    for each in found.loads["plaintext", "trioweb"]:
        assert min(each.processor, each.rate, each.p50 or 0) > 0
        assert each.rss > 2**20
    assert found.failures.keys() == {("plaintext", "other")}
    assert "other answers plaintext with 200" in out.getvalue()
    assert "- plaintext by other: other answers" in told(found, [])


async def test_what_connections_cost_is_measured(material: Material) -> None:
    holds = [Hold(each.name, each.served, connections=40) for each in HOLDS]
    out = io.StringIO()
    found = await comparison(material, out, rounds=1).of(holds, [TRIOWEB, OTHER])
    for each in HOLDS:
        held = found.holds[each.name, "trioweb"]
        assert [one.connections for one in held] == [40]
        assert min(one.during for one in held) > 2**20
    assert ("idle", "other") in found.failures
    assert "idle-tls: trioweb" in out.getvalue()


@needs("wrk")
async def test_memos_are_asked_by_the_works_that_need_them(material: Material) -> None:
    works = [BY_NAME[name] for name in ("plaintext", "https", "session")]
    found = await rates([*works, *HOLDS], material, Progress(io.StringIO()))
    assert {each.work for each in found} == {"plaintext", "session"}
    known = {each.memo: each for each in found if each.work == "plaintext"}
    host = known["trioweb.wire.plain._is_host"]
    assert host.asked > 100
    assert host.share > 0.9


def test_who_cannot_do_a_work_is_not_asked_for_it() -> None:
    assert able(BY_NAME["plaintext"], [TRIOWEB, OTHER]) == [TRIOWEB, OTHER]
    assert able(BY_NAME["json"], [TRIOWEB, OTHER]) == [TRIOWEB]
    one = expected([BY_NAME["json"]], [TRIOWEB, OTHER], 9, 2).expected
    two = expected([BY_NAME["plaintext"]], [TRIOWEB, OTHER], 9, 2).expected
    assert two == 2 * one
    assert expected(HOLDS, [OTHER], 1, 2).expected < one


def test_what_is_not_known_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--work", "plaintext,nothing"])
    assert "'nothing' is not one of plaintext, json" in capsys.readouterr().err


def test_a_part_does_not_take_the_place_of_the_whole() -> None:
    assert section([*WORKS, *HOLDS]) == "comparison"
    assert section([BY_NAME["h2"], HOLDS[0]]) == "comparison by h2, idle"


def test_nothing_found_is_nothing_told() -> None:
    assert told(Found(), []) == ""
