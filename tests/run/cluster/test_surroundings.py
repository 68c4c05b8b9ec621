"""What a cluster finds out of its surroundings: its program, its directory, signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from multiprocessing import resource_tracker
from pathlib import Path
from types import ModuleType

import pytest
import trio

from tests.clients.process import ROOT
from trioweb import App, Config
from trioweb.message.errors import SetupError
from trioweb.message.site import Site
from trioweb.run.cluster.messages import Failed
from trioweb.run.cluster.naming import refuse_in_worker, target_of
from trioweb.run.cluster.process import Process
from trioweb.run.cluster.signals import TAKEN, deferred, held_back, let_in
from trioweb.run.cluster.telling import tell
from trioweb.run.cluster.worker import Order
from trioweb.run.memory import memory
from trioweb.run.runtime import PREFIX, Hold, runtime_directory, sweep


@pytest.fixture(scope="module", autouse=True)
def beside_us() -> Iterator[None]:
    """The process that multiprocessing has beside its children, while it is needed."""
    resource_tracker.ensure_running()
    yield
    tracker = resource_tracker._resource_tracker  # noqa: SLF001  # the only way to it
    tracker._stop()  # type: ignore[attr-defined]  # noqa: SLF001  # not in the stubs


def program(monkeypatch: pytest.MonkeyPatch, **names: object) -> ModuleType:
    module = ModuleType("__main__")
    vars(module).update(names)
    monkeypatch.setitem(sys.modules, "__main__", module)
    return module


def test_an_application_is_found_by_file_and_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = App()
    program(monkeypatch, __file__="/srv/shop.py", other=App(), shop=app)
    assert target_of(app) == "/srv/shop.py:shop"


def test_a_module_run_by_its_name_is_found_by_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = App()
    spec = ModuleSpec("shop.web", None)
    program(monkeypatch, __file__="/srv/shop/web.py", __spec__=spec, app=app)
    assert target_of(app) == "shop.web:app"


def test_an_application_without_a_name_is_told_the_line_to_write(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def handler(request: object) -> str:
        return "hi"

    program(monkeypatch, __file__="/srv/shop.py")
    with pytest.raises(SetupError, match=r"write `app = App\(\)` at the top level"):
        target_of(App())
    with pytest.raises(SetupError, match=r"`app = \.\.\.` at the top level"):
        target_of(handler)


def test_a_program_without_a_file_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    program(monkeypatch, __spec__=None)
    with pytest.raises(SetupError, match="from a file"):
        target_of(App())


def test_a_program_without_a_guard_is_told_the_line_to_write() -> None:
    with pytest.raises(SetupError, match='write `if __name__ == "__main__":`'):
        refuse_in_worker()


def test_o4_the_directory_is_private_and_removed() -> None:
    with runtime_directory() as directory:
        assert directory.stat().st_mode & 0o777 == 0o700
        (directory / "sessions.db").touch()
    assert not directory.exists()


def test_o4_where_nothing_can_be_written_the_remedy_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    with pytest.raises(SetupError, match="set TMPDIR"), runtime_directory():
        pass


BARE = """
import os
listing, numbers = os.pipe()
os.set_inheritable(listing, True)
def listdir(path):
    raise FileNotFoundError(path)
os.listdir = listdir
from trioweb.run.cluster.alone import be_alone
be_alone()
print(os.get_inheritable(listing), os.get_inheritable(1))
"""


def test_o5_a_worker_is_alone_also_where_descriptors_are_not_listed() -> None:
    """As in a bare root directory, without /dev and /proc."""
    done = subprocess.run(
        [sys.executable, "-c", BARE], cwd=ROOT, capture_output=True, check=True
    )
    assert done.stdout == b"False True\n"


@pytest.mark.parametrize("file", ["<stdin>", "/srv/shop.pyz/__main__.py"])
def test_a_program_that_is_no_file_of_its_own_is_told_so(
    monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    app = App()
    program(monkeypatch, __file__=file, app=app)
    with pytest.raises(SetupError, match="from a file"):
        target_of(app)


def test_o4_without_a_supervisor_the_last_worker_removes_the_directory(
    tmp_path: Path,
) -> None:
    directory = tmp_path / "left"
    directory.mkdir()
    with Hold(directory) as first, Hold(directory) as second:
        first.remove_if_last()
        assert directory.exists()
        second.remove_if_last()
        assert not directory.exists()
    with Hold(directory) as late:
        late.remove_if_last()


def test_o4_what_a_killed_server_has_left_is_removed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nothing that somebody holds, that is another's, or only looks like it."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left, other = tmp_path / f"{PREFIX}left", tmp_path / "trioweb-0"
    for each in (left, other):
        each.mkdir()
        (each / "sessions.sqlite").touch()
    link, file = tmp_path / f"{PREFIX}link", tmp_path / f"{PREFIX}file"
    link.symlink_to(other)
    file.touch()
    with runtime_directory() as first:
        assert not left.exists()
        sweep(tmp_path, frozenset({os.geteuid() + 1}))
        left.mkdir()
        sweep(tmp_path, frozenset({os.geteuid() + 2}))
        assert left.exists()
        sweep.cache_clear()
        with runtime_directory() as second:
            assert {*tmp_path.iterdir()} == {first, second, other, link, file}
            assert (other / "sessions.sqlite").exists()


def test_o4_a_start_whose_directory_was_taken_for_a_left_one_makes_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    made = tempfile.mkdtemp
    taken: list[str] = []

    def make(prefix: str) -> str:
        path = made(prefix=prefix)
        if not taken:
            Path(path).rmdir()
            taken.append(path)
        return path

    monkeypatch.setattr(tempfile, "mkdtemp", make)
    with runtime_directory() as directory:
        assert taken
        assert directory.exists()


def test_o4_what_has_taken_the_name_of_a_directory_is_not_what_is_held(
    tmp_path: Path,
) -> None:
    directory = tmp_path / "run"
    directory.mkdir()
    with Hold(directory) as hold:
        assert hold.has(directory)
        directory.rename(tmp_path / "elsewhere")
        assert not hold.has(directory)
        directory.mkdir()
        assert not hold.has(directory)
        with Hold(tmp_path / "nowhere") as none:
            assert not none.has(directory)


def test_k6_signals_that_came_too_late_are_forgotten() -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    with held_back():
        signal.raise_signal(signal.SIGTERM)
        assert signal.sigpending() == {signal.SIGTERM}
        with deferred():
            pass
        assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) >= TAKEN
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before
    with deferred():
        let_in()
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before


async def test_k8_a_process_that_has_ended_is_no_other_until_it_is_reaped(
    tmp_path: Path,
) -> None:
    site = Site(workers=1, worker=0, directory=tmp_path)
    process = Process(1, Order("nowhere.py", Config(workers=1), site))
    with trio.fail_after(30):
        await process.ended()
    process.signal(signal.SIGKILL)  # nobody's number yet
    (failed,) = process.channel.remaining()
    assert isinstance(failed, Failed)
    assert failed.hopeless
    assert "nowhere.py is not there" in failed.reason
    assert process.reap() == 1


def test_a_line_is_written_or_lost_but_never_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        tell("안녕")
        assert os.read(reading, 100) == "안녕\n".encode()
        for _ in range(10_000):
            tell("x" * 10_000)
    monkeypatch.setattr(sys, "stderr", None)
    tell("nobody is there")
    os.close(reading)


def test_a_worker_knows_what_memory_it_has() -> None:
    assert 1 << 20 < memory() < 1 << 40
    assert Path("/proc/self/statm").exists() or memory() > 0
