"""The tree of tasks: who waits where, below whom."""

from __future__ import annotations

import logging
import time

import pytest
import trio
import trio.testing

from trioweb.run.tasks import MOST, tree
from trioweb.run.watchdog import LASTING, watched


async def wait_for_tea() -> None:
    await trio.sleep_forever()


async def host() -> None:
    async with trio.open_nursery() as guests:
        guests.start_soon(wait_for_tea)
        guests.start_soon(wait_for_tea)


async def test_every_task_has_a_line_below_its_parent_with_where_it_waits() -> None:
    root = trio.lowlevel.current_root_task()
    assert root is not None
    async with trio.open_nursery() as hosts:
        hosts.start_soon(host)
        await trio.testing.wait_all_tasks_blocked()
        lines = tree(root).splitlines()
        hosts.cancel_scope.cancel()
    guest, _ = (n for n, line in enumerate(lines) if "wait_for_tea (" in line)
    assert "test_tasks:" in lines[guest]
    above = lines[guest - 1]
    assert above.lstrip().startswith("host  host (")
    indents = [len(line) - len(line.lstrip()) for line in (above, lines[guest])]
    assert indents[1] == indents[0] + 2


async def test_of_very_many_only_some_are_shown() -> None:
    root = trio.lowlevel.current_root_task()
    assert root is not None
    async with trio.open_nursery() as many:
        for _ in range(2 * MOST):
            many.start_soon(trio.sleep_forever)
        await trio.testing.wait_all_tasks_blocked()
        lines = tree(root).splitlines()
        many.cancel_scope.cancel()
    assert len(lines) == MOST + 1
    assert lines[-1] == "... and more"


async def test_a_loop_that_stays_blocked_shows_its_tasks_too(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with watched(0.02), trio.open_nursery() as waiting:
        waiting.start_soon(wait_for_tea)
        await trio.testing.wait_all_tasks_blocked()
        time.sleep(0.02 * LASTING * 3)  # noqa: ASYNC251  # the mistake itself
        with trio.fail_after(5):
            while len(caplog.records) < 3:  # noqa: ASYNC110  # a log has no event
                await trio.sleep(0.01)
        waiting.cancel_scope.cancel()
    _, tasks, goes_on = caplog.records
    assert tasks.levelno == logging.ERROR
    assert "wait_for_tea" in tasks.getMessage()
    assert "goes on after" in goes_on.getMessage()
