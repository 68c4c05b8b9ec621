"""The supervisor as an object: what a command or a page can see of it and ask of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from multiprocessing import resource_tracker
from multiprocessing.context import SpawnProcess
from pathlib import Path

import pytest
import trio

from tests.run.cluster.crews import APP, PATIENCE, alive, until
from trioweb import Config
from trioweb.run.cluster.berths import Berths
from trioweb.run.cluster.members import State
from trioweb.run.cluster.supervisor import Supervisor
from trioweb.run.runtime import runtime_directory


@pytest.fixture(scope="module", autouse=True)
def beside_us() -> Iterator[None]:
    """The process that multiprocessing has beside its children, while it is needed."""
    resource_tracker.ensure_running()
    yield
    tracker = resource_tracker._resource_tracker  # noqa: SLF001  # the only way to it
    tracker._stop()  # type: ignore[attr-defined]  # noqa: SLF001  # not in the stubs


@asynccontextmanager
async def supervised(
    size: int = 1, target: str = str(APP)
) -> AsyncIterator[Supervisor]:
    """A supervisor in this process, whose workers have ended with the block."""
    config = Config(bind=("127.0.0.1:0",), access_log="off", workers=size, grace=1)
    berths = Berths(config.bind, size)
    with runtime_directory() as directory, trio.fail_after(2 * PATIENCE):
        supervisor = Supervisor(
            target,
            config,
            size,
            berths=berths,
            directory=directory,
            announce=lambda: None,
        )
        codes = []
        async with trio.open_nursery() as running:

            async def run() -> None:
                codes.append(await supervisor.run())

            running.start_soon(run)
            await until(lambda: len(supervisor.workers) >= size)
            try:
                yield supervisor
            finally:
                supervisor.stop()
        assert codes == [0]
        assert supervisor.workers == []


def ready(supervisor: Supervisor) -> list[tuple[int, int]]:
    """Slot and process id of every worker that serves; [] while others come or go."""
    views = supervisor.workers
    if any(view.state is not State.READY for view in views):
        return []
    return [(view.slot, view.pid) for view in views]


async def test_workers_are_seen_with_what_they_do() -> None:
    async with supervised() as supervisor:
        (view,) = supervisor.workers
        assert (view.slot, view.state, view.restarts) == (0, State.STARTING, 0)
        await until(lambda: supervisor.workers[0].memory > 0)
        (view,) = supervisor.workers
        assert alive(view.pid)
        assert view.state is State.READY
        assert view.memory > 1 << 20
        assert view.processor > 0
        assert view.uptime > 0
        assert (view.connections, view.requests) == (0, 0)


async def test_it_scales_up_and_down_while_it_serves() -> None:
    async with supervised() as supervisor:
        await until(lambda: len(ready(supervisor)) == 1)
        supervisor.scale(3)
        await until(lambda: len(ready(supervisor)) == 3)
        supervisor.scale(1)
        await until(lambda: [slot for slot, _ in ready(supervisor)] == [0])
        with pytest.raises(ValueError, match="stop the server instead"):
            supervisor.scale(0)
        assert supervisor.plan.size == 1


async def test_one_is_restarted_or_all_of_them() -> None:
    async with supervised(2) as supervisor:
        await until(lambda: len(ready(supervisor)) == 2)
        first = dict(ready(supervisor))
        supervisor.restart(1)
        await until(
            lambda: ready(supervisor) != [] and dict(ready(supervisor)) != first
        )
        second = dict(ready(supervisor))
        assert second[0] == first[0]
        assert second[1] != first[1]
        assert [view.restarts for view in supervisor.workers] == [0, 1]
        supervisor.reload()
        await until(
            lambda: (
                len(ready(supervisor)) == 2
                and not set(dict(ready(supervisor)).values()) & set(second.values())
            )
        )


async def test_a_stop_at_once_starts_nothing_more() -> None:
    async with supervised(2) as supervisor:
        supervisor.stop()
        supervisor.reload()
        supervisor.scale(4)
        assert len(supervisor.workers) == 2


async def test_where_the_system_has_no_room_for_a_process_it_tries_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    start = SpawnProcess.start
    refused: list[SpawnProcess] = []

    def full(process: SpawnProcess) -> None:
        if len(refused) < 2:
            refused.append(process)
            raise OSError(11, "Resource temporarily unavailable")
        start(process)

    monkeypatch.setattr(SpawnProcess, "start", full)
    async with supervised() as supervisor:
        await until(lambda: len(ready(supervisor)) == 1)
    assert len(refused) == 2
    assert "no process for worker 0: Resource temporarily" in caplog.text


NONSENSE = """
import socket
for name in os.listdir("/proc/self/fd"):
    try:
        found = socket.socket(fileno=os.dup(int(name)))
    except OSError:
        continue
    if found.family == socket.AF_UNIX:
        found.send(bytes(4) + b"nonsense")
"""


async def test_a_worker_that_talks_nonsense_is_killed_and_replaced(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """As where the application writes to a descriptor that is not its own."""
    fails = tmp_path / "fails"
    fails.write_text(NONSENSE)
    monkeypatch.setenv("CREW_FAILS", str(fails))
    async with supervised() as supervisor:
        await until(lambda: "was killed by SIGKILL" in caplog.text)
        fails.unlink()
        await until(lambda: len(ready(supervisor)) == 1)
    assert "talks nonsense" in caplog.text
