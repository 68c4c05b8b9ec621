"""Reloading: which changes count, and that each is heard of and nothing stays."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from tests.run.cluster.crews import PATIENCE, Crew, crewed, said, until
from trioweb.message.errors import SetupError
from trioweb.run.reload import Source, source_of, watch

HERE = Path("/srv/shop")

COUNTS: list[tuple[str, tuple[str, ...], bool]] = [
    ("/srv/shop/app.py", (), True),
    ("/srv/shop/inner/deep/app.py", (), True),
    ("/srv/shop/page.html", (), False),
    ("/srv/shop/page.html", ("*.html",), True),
    ("/srv/shop/templates/page.txt", ("templates/*",), True),
    ("/srv/shop/other/page.txt", ("templates/*",), False),
    ("/srv/shop/app.py~", (), False),
    ("/srv/shop/.#app.py", (), False),
    ("/srv/shop/.git/hooks/a.py", ("*",), False),
    ("/srv/shop/.venv/lib/a.py", (), False),
    ("/srv/shop/__pycache__/app.cpython-311.pyc", ("*",), False),
    ("/srv/shop/node_modules/a/setup.py", (), False),
    ("/srv/elsewhere/app.py", (), False),
]


@pytest.mark.parametrize(("path", "patterns", "counts"), COUNTS)
def test_only_changes_of_the_source_count(
    path: str, patterns: tuple[str, ...], *, counts: bool
) -> None:
    source = Source((HERE,), ("*.py", *patterns))
    assert source.has(Path(path)) is counts


def test_an_environment_is_none_of_ours_whatever_its_name(tmp_path: Path) -> None:
    inner = tmp_path / "env/lib/a.py"
    source = Source((tmp_path,))
    assert source.has(inner)
    inner.parent.mkdir(parents=True)
    (tmp_path / "env/pyvenv.cfg").touch()
    assert not source.has(inner)
    # But a program may lie in one that it has been given.
    assert Source((tmp_path / "env/lib",)).has(inner)


def test_the_source_is_where_the_target_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "")
    inner = tmp_path / "inner"
    assert source_of("shop.web:app").directories == (tmp_path,)
    assert source_of("shop.py").directories == (tmp_path,)
    assert source_of("inner/shop.py:app", ["*.html"]) == Source(
        (inner,), ("*.py", "*.html")
    )


def test_without_the_extra_the_line_to_type_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    with pytest.raises(SetupError, match=r'pip install "trioweb\[reload\]"'):
        source_of("shop.py")


async def test_changes_are_heard_until_it_is_cancelled(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = trio.Event()
    path = trio.Path(tmp_path / "app\n.py")
    async with trio.open_nursery() as watching:
        watching.start_soon(watch, Source((tmp_path,)), changed.set)
        with trio.fail_after(20):
            while not changed.is_set():
                await path.write_text("changed", "utf-8")
                with trio.move_on_after(0.3):
                    await changed.wait()
        before = trio.current_time()
        watching.cancel_scope.cancel(reason="it has been heard")
    # By itself the thread would wait for seconds.
    assert trio.current_time() - before < 2


async def test_what_is_started_afterwards_hears_its_signals(tmp_path: Path) -> None:
    """What Trio starts begins in the thread that has looked, when it looks no more."""
    async with trio.open_nursery() as looking:
        looking.start_soon(watch, Source((tmp_path,), ("*.py",)), lambda: None)
        await trio.sleep(0.3)  # it has begun to look
        looking.cancel_scope.cancel()
    ran = await trio.run_process(["cat", "/proc/self/status"], capture_stdout=True)
    assert b"SigBlk:\t0000000000000000\n" in ran.stdout


async def test_what_cannot_be_watched_is_told_and_holds_up_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = Source((tmp_path / "not there",))
    async with trio.open_nursery() as watching:
        watching.start_soon(watch, source, lambda: None)
        await until(lambda: "changes cannot be watched" in caplog.text)
        watching.cancel_scope.cancel(reason="it has been told")


# ------------------------------------------------------------------- the whole of it

PROGRAM = """\
from pathlib import Path
from trioweb import App

VERSION = 1
PAGE = (Path(__file__).parent / "page.html").read_text("utf-8")
app = App()


@app.get("/who")
async def who(request):
    return {"version": VERSION, "page": PAGE}
"""


@asynccontextmanager
async def written(directory: Path, *options: str) -> AsyncIterator[Crew]:
    """The program in *directory*, served with ``--reload``."""
    (directory / "page.html").write_text("first", "utf-8")
    path = directory / "app.py"
    path.write_text(PROGRAM, "utf-8")
    command: list[str | Path] = [sys.executable, "-m", "trioweb", "run", path]
    command += ["--reload", "--bind=127.0.0.1:0", "--access-log=off", *options]
    async with crewed(program=command) as crew:
        yield crew


def listed(directory: Path) -> set[str]:
    return {each.name for each in directory.iterdir()}


async def says(crew: Crew) -> dict[str, object]:
    answer: dict[str, object] = json.loads(await crew.ask())
    return answer


async def shown(crew: Crew, version: int, page: str = "first") -> None:
    """Ask until the answer is as it is to be; nobody is refused meanwhile."""
    with trio.fail_after(PATIENCE):
        while True:
            if await says(crew) == {"version": version, "page": page}:
                return
            await trio.sleep(0.02)


async def replaced(path: Path, version: int, more: str = "") -> None:
    """Save another version of the program."""
    text = PROGRAM.replace("VERSION = 1", f"VERSION = {version}") + more
    await trio.Path(path).write_text(text, "utf-8")


async def test_k4_what_is_written_is_served_and_what_is_broken_is_not(
    tmp_path: Path,
) -> None:
    path = tmp_path / "app.py"
    async with written(tmp_path, "--reload-include=*.html") as crew:
        await shown(crew, 1)
        assert len(crew.workers()) == 1

        # Versions of one length, as fast as they are served.
        for version in (2, 3, 4):
            await replaced(path, version)
            await shown(crew, version)

        await replaced(path, 6, "\n1 / 0\n")
        await until(lambda: "the old ones serve on" in said(crew.server))
        assert "ZeroDivisionError: division by zero" in said(crew.server)
        assert f'File "{path}"' in said(crew.server)
        await shown(crew, 4)

        await replaced(path, 5)
        await shown(crew, 5)

        await trio.Path(tmp_path / "page.html").write_text("second", "utf-8")
        await shown(crew, 5, "second")
        assert "page.html changed: reloading" in said(crew.server)
        assert await crew.stop() == 0
    assert listed(tmp_path) == {"app.py", "page.html"}


async def test_k4_reloading_goes_with_any_number_of_workers(tmp_path: Path) -> None:
    async with written(tmp_path, "--workers=2") as crew:
        await until(lambda: len(crew.workers()) == 2)
        both = crew.workers()
        await replaced(tmp_path / "app.py", 2)
        await until(lambda: len(crew.workers() - both) == 2)
        await shown(crew, 2)
        assert await crew.stop() == 0


async def test_without_any_worker_there_is_nothing_to_reload(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(PROGRAM, "utf-8")
    command = [sys.executable, "-m", "trioweb", "run", str(tmp_path / "app.py")]
    done = await trio.run_process(
        [*command, "--reload", "--workers=none"], capture_stderr=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith(b"trioweb: --reload needs a worker")
