"""``trioweb ctl``, as a program: what it does to a server, prints, and ends with."""

from __future__ import annotations

import json
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from tests.clients.process import ROOT
from tests.run.cluster.crews import PATIENCE, by_workers, until
from tests.run.control.homes import ctl, found, home, surroundings

Listed = list[dict[str, object]]


@pytest.fixture
def place() -> Iterator[Path]:
    with home() as directory:
        yield directory


async def listed(place: Path) -> Listed:
    """What ``ctl list --json`` says of the only server."""
    done = await ctl(place, "list", "--json")
    assert done.code == 0
    (server,) = json.loads(done.out)
    workers: Listed = server["workers"]
    return workers


# ------------------------------------------------------------------------ what there is


async def test_without_a_server_it_says_how_to_start_one(place: Path) -> None:
    done = await ctl(place, "list")
    assert (done.code, done.out) == (0, "")
    assert "trioweb run TARGET --workers 1" in done.err
    assert (await ctl(place, "list", "--json")).out == "[]\n"
    for command in ("reload", "stop", "logs", "tree"):
        done = await ctl(place, command)
        assert done.code == 1
        assert done.err.startswith("trioweb: no server with workers runs here")
        assert done.err.count("\n") == 1


async def test_the_list_has_a_line_for_each_worker(place: Path) -> None:
    async with found(place) as crew:
        pids = await crew.everybody(2)
        done = await ctl(place, "list")
        head, *lines = done.out.splitlines()
        assert head.split() == [
            *("NAME", "WORKER", "PID", "STATE", "UPTIME"),
            *("RESTARTS", "CONNECTIONS", "REQ/S", "CPU", "MEMORY"),
        ]
        assert {int(line.split()[2]) for line in lines} == pids
        assert all(line.split()[3] == "ready" for line in lines)
        assert "\x1b" not in done.out
        with trio.fail_after(PATIENCE):  # they tell of themselves once a second
            workers = await listed(place)
            while not all(each["memory"] for each in workers):
                workers = await listed(place)
        assert [each["worker"] for each in workers] == [0, 1]
        assert all(int(str(each["memory"])) > 1_000_000 for each in workers)
        assert await crew.stop() == 0
    assert list((place / "trioweb").iterdir()) == []


async def test_of_several_servers_one_has_to_be_named(place: Path) -> None:
    async with found(place, workers=1), found(place, "--name", "eu", workers=1) as eu:
        done = await ctl(place, "reload")
        assert done.code == 2
        assert "--name" in done.err
        assert re.search(r"^crew .*ready", done.err, re.MULTILINE)
        assert re.search(r"^eu .*ready", done.err, re.MULTILINE)
        assert (await ctl(place, "list")).out.count("ready") == 2
        done = await ctl(place, "--name", "us", "reload")
        assert done.code == 1
        assert (
            "no server called us runs here as this user; there is crew, eu" in done.err
        )
        # Before the command or after it.
        assert (await ctl(place, "--name", "eu", "reload")).code == 0
        done = await ctl(place, "stop", "--name", "eu")
        assert (done.code, done.out) == (0, "eu: stopped\n")
        assert await eu.ended() == 0
        assert (await ctl(place, "list")).out.count("ready") == 1


# ------------------------------------------------------------------------- what it does


async def test_a_reload_waits_for_the_new_code_and_says_so(place: Path) -> None:
    changes = place / "changes.py"
    async with found(place, env={"CREW_FAILS": str(changes)}) as crew:
        old = await crew.everybody(2)
        changes.write_text("VERSION = 2", "utf-8")
        done = await ctl(place, "reload")
        assert done.code == 0
        assert re.match(r"crew: 2 workers replaced in [\d.]+ s", done.out)
        assert not old & await crew.everybody(2, but=old)
        assert await crew.stop() == 0


async def test_new_code_that_does_not_start_is_told_and_the_old_serves(
    place: Path,
) -> None:
    changes = place / "changes.py"
    async with found(place, env={"CREW_FAILS": str(changes)}) as crew:
        old = await crew.everybody(2)
        changes.write_text("raise KeyError('DSN')", "utf-8")
        done = await ctl(place, "reload")
        assert (done.code, done.out) == (1, "")
        assert "the new worker did not start (KeyError: 'DSN')" in done.err
        assert await crew.everybody(2) == old
        done = await ctl(place, "reload", "--json")
        assert done.code == 1
        assert json.loads(done.out)["done"] is False
        done = await ctl(place, "restart", "1")
        assert done.code == 1
        assert "KeyError" in done.err
        done = await ctl(place, "scale", "3")
        assert done.code == 1
        assert "worker 2 does not start: KeyError: 'DSN'" in done.err
        done = await ctl(place, "list")
        assert re.search(r"^crew +2 +(-|\d+) +(down|starting)", done.out, re.MULTILINE)
        changes.unlink()
        assert (await ctl(place, "reload")).code == 0
        assert len(await crew.everybody(3)) == 3
        assert await crew.stop() == 0


async def test_it_scales_up_and_down(place: Path) -> None:
    async with found(place, workers=1) as crew:
        await crew.everybody(1)
        done = await ctl(place, "scale", "3")
        assert (done.code, done.out) == (0, "crew: 3 workers, 2 more than before\n")
        assert len(await crew.everybody(3)) == 3
        done = await ctl(place, "scale", "1", "--json")
        assert json.loads(done.out) == {
            "done": True,
            "text": "1 worker, 2 fewer than before",
        }
        await until(lambda: len(crew.workers()) == 1)
        assert "as before" in (await ctl(place, "scale", "1")).out
        for size in ("0", "1025"):
            done = await ctl(place, "scale", size)
            assert done.code == 1
            assert "give a number from 1 to 1024" in done.err
        assert (await ctl(place, "scale", "-1")).code == 2
        assert await crew.stop() == 0


async def test_one_worker_is_restarted_or_all(place: Path) -> None:
    async with found(place) as crew:
        old = await crew.everybody(2)
        first = {each["worker"]: each["pid"] for each in await listed(place)}
        done = await ctl(place, "restart", "1")
        assert re.match(r"crew: worker 1 replaced in [\d.]+ s", done.out)
        pids = {int(str(each["pid"])) for each in await listed(place)}
        assert int(str(first[0])) in pids
        assert (await ctl(place, "restart")).out.startswith("crew: 2 workers replaced")
        await crew.everybody(2, but=old)
        done = await ctl(place, "restart", "7")
        assert done.code == 1
        assert "there is no worker 7; they are 0 to 1" in done.err
        assert await crew.stop() == 0


async def test_a_stop_waits_for_the_end(place: Path) -> None:
    async with found(place) as crew:
        await crew.everybody(2)
        done = await ctl(place, "stop")
        assert (done.code, done.out, done.err) == (0, "crew: stopped\n", "")
        assert await crew.ended() == 0
        await crew.gone()


async def test_who_waits_for_a_reload_hears_that_the_server_stops(place: Path) -> None:
    async with found(place, "--grace", "1") as crew:
        await crew.everybody(2)
        outcomes = []

        async def reload() -> None:
            outcomes.append(await ctl(place, "reload"))

        async with trio.open_nursery() as asking:
            asking.start_soon(reload)
            await until(lambda: len(crew.workers()) > 2)
            assert (await ctl(place, "stop")).code == 0
        (outcome,) = outcomes
        assert outcome.code == 1
        assert "stopping" in outcome.err
        assert await crew.ended() == 0


async def test_a_server_that_was_killed_is_not_there(place: Path) -> None:
    async with found(place, workers=1) as crew:
        await crew.everybody(1)
        crew.workers()
        crew.kill(crew.pid)
        await crew.ended()
        assert (await ctl(place, "--name", "crew", "list")).code == 1
        assert list((place / "trioweb").iterdir()) == []
        await crew.gone()


async def test_a_supervisor_that_is_stopped_does_not_answer(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with found(place, workers=1) as crew:
        await crew.everybody(1)
        crew.workers()
        crew.kill(crew.pid, signal.SIGSTOP)
        done = await ctl(place, "logs")
        assert done.code == 1
        assert done.err == "trioweb: crew does not answer\n"
        crew.kill(crew.pid, signal.SIGCONT)
        assert await crew.stop() == 0


# -------------------------------------------------------------------------- the startup


async def test_startup_prints_a_unit_for_a_target(place: Path) -> None:
    words = ["shop.py", "--bind", ":80", "--grace", "10"]
    done = await ctl(place, "startup", "--user", "www", *words)
    assert done.code == 0
    command = f"{sys.executable} -m trioweb run {' '.join(words)} --workers 1"
    assert f"\nExecStart={command}\n" in done.out
    assert "\nTimeoutStopSec=20\n" in done.out
    assert "\nAmbientCapabilities=CAP_NET_BIND_SERVICE\n" in done.out
    assert f"\nWorkingDirectory={ROOT}\n" in done.out


async def test_startup_prints_a_unit_for_what_runs(place: Path) -> None:
    async with found(place) as crew:
        await crew.everybody(2)
        done = await ctl(place, "startup", "--user", "www")
        assert done.code == 0
        assert re.search(
            r"^ExecStart=\S+ -m trioweb run \S+crew.py --workers 2 --bind 127.0.0.1:0 ",
            done.out,
            re.MULTILINE,
        )
        assert await crew.stop() == 0


@pytest.mark.parametrize(
    ("words", "code", "fault"),
    [
        (["--user", "root", "shop.py"], 1, "must not run as root"),
        (["--user", "www", "shop.py", "--grace", "soon"], 2, "--grace"),
        (["--user", "www", "shop.py", "--nonsense"], 2, "--nonsense"),
        (["--user", "www"], 1, "no server with workers runs here"),
    ],
    ids=["root", "a wrong value", "an unknown option", "nothing runs"],
)
async def test_startup_refuses(
    place: Path, words: list[str], code: int, fault: str
) -> None:
    done = await ctl(place, "startup", *words)
    assert (done.code, done.out) == (code, "")
    assert fault in done.err


async def test_a_name_that_is_taken_is_refused_at_the_start(place: Path) -> None:
    async with found(place, "--name", "eu", workers=1) as crew:
        await crew.everybody(1)
        with trio.fail_after(PATIENCE):
            done = await trio.run_process(
                [str(word) for word in by_workers("--name", "eu")],
                check=False,
                capture_stderr=True,
                cwd=ROOT,
                env=surroundings(place),
            )
        assert done.returncode == 1
        assert done.stderr == (
            b"trioweb: a server called eu runs already; choose another --name\n"
        )
        assert await crew.stop() == 0
