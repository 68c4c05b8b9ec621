"""Instructions: counts that repeat themselves, and what is said where they do not."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from benchmarks.instructions import recorded
from benchmarks.instructions.counting import counted
from benchmarks.instructions.exchanges import count
from benchmarks.instructions.parts import SYSTEM, shares, tables
from benchmarks.instructions.works import ADDED, PLAINTEXT, WORKS, Work, browser, get
from benchmarks.results import record
from benchmarks.serving import NotServing
from tests.needs import needs, program

NOW = {"yardstick": 500_000, "plaintext": 250_000, "a layer": 260_000}
MINE = ".".join(platform.python_version_tuple()[:2])


def known(times: float, python: str = MINE) -> recorded.Recorded:
    return recorded.Recorded(python, {"yardstick": 1.0, "plaintext": times})


@needs("valgrind")
async def test_an_exchange_takes_as_many_instructions_as_the_next() -> None:
    program("valgrind")
    async with counted(PLAINTEXT.served.words) as server:
        await server.begin()
        first, second = [await count(server, PLAINTEXT, None) for _ in range(2)]
        assert first == pytest.approx(second, rel=0.01)
        assert 50_000 < first < 1_000_000
        wrong = Work("lost", PLAINTEXT.served, get("/lost"), b"Hello")
        with pytest.raises(NotServing, match="404"):
            await count(server, wrong, None)


def test_what_is_recorded_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "results.md"
    assert recorded.read(path) is None
    record("soak", "python -m s", "| plaintext | 1.0 | 9.000 |", path=path)
    assert recorded.read(path) is None
    record(recorded.SECTION, "python -m i", recorded.table(NOW), path=path)
    found = recorded.read(path)
    assert found == recorded.Recorded(
        MINE, {"yardstick": 1.0, "plaintext": 0.5, "a layer": 0.52}
    )
    assert recorded.judged(NOW, found).failed is False


@pytest.mark.parametrize(
    ("times", "said", "failed"),
    [
        pytest.param(0.5, "Nothing differs", False, id="the same"),
        pytest.param(0.46, "Nothing differs", False, id="9 % dearer"),
        pytest.param(0.42, "plaintext is 19 % dearer", False, id="19 % dearer"),
        pytest.param(0.39, "plaintext is 28 % dearer", True, id="28 % dearer"),
        pytest.param(1.0, "plaintext is 50 % cheaper", False, id="cheaper"),
    ],
)
def test_only_what_is_much_dearer_is_a_failure(
    times: float, said: str, failed: bool
) -> None:
    verdict = recorded.judged(NOW, known(times))
    assert len(verdict.lines) == 1
    assert said in verdict.lines[0]
    assert verdict.failed is failed


def test_the_figures_of_another_python_fail_nothing() -> None:
    verdict = recorded.judged(NOW, known(0.1, "2.7"))
    assert "dearer" in verdict.lines[0]
    assert "Python 2.7" in verdict.lines[1]
    assert not verdict.failed


def test_a_table_shows_what_has_changed() -> None:
    lines = recorded.compared(NOW, known(0.4)).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert cells[3] == ["plaintext", "250.0", "0.500", "0.400", "+25.0 %"]
    assert cells[4] == ["a layer", "260.0", "0.520", "", ""]
    assert "nothing is recorded" in recorded.judged(NOW, None).lines[0].lower()


def test_a_browser_never_sends_the_same_twice() -> None:
    requests = [browser(number) for number in range(100)]
    assert len(set(requests)) == 100
    assert len({len(request) for request in requests}) == 1
    assert requests[0].count(b"\r\n") == 12


def test_works_have_names_of_their_own() -> None:
    for works in (WORKS, ADDED):
        assert len({work.name for work in works}) == len(works)


LOOP = "run (trio/_core/_run.py:2);unrolled_run (trio/_core/_run.py:3)"
SAMPLES = f"""\
{LOOP};serve (trioweb/wire/h1.py:4);HubTransport._try (trioweb/run/hub.py:5) 70
{LOOP};serve (trioweb/wire/h1.py:4) 15
{LOOP};serve (trioweb/wire/h1.py:9) 5
{LOOP} 6
{LOOP};whole (trioweb/wire/lane.py:1) 3
{LOOP};__init__ (<attrs generated init trio.Lock>:1) 1
{LOOP};urlsplit (urllib/parse.py:1) 10
watch (trioweb/run/watchdog.py:4) 99
"""


def test_samples_of_the_loop_are_shared_out_without_system_calls() -> None:
    found = shares(SAMPLES.splitlines())
    assert found.told == 40
    assert found.parts == {
        SYSTEM: 70,
        "the books of the exchange": 20,
        "Trio's loop": 7,
        "writing the answer": 3,
        "others": 10,
    }
    assert found.functions.most_common(1) == [("serve, trioweb/wire/h1.py", 20)]
    lines = [" ".join(line.split()) for line in tables(found, 20.0).splitlines()]
    assert "| the books of the exchange | 50.0 % | 10.0 |" in lines
    assert "| whole, trioweb/wire/lane.py | 7.5 % | 1.5 |" in lines
