"""The watchdog: a blocked loop is shown at fault, a busy one is not."""

from __future__ import annotations

import logging
import threading
import time

import pytest
import trio

from trioweb.run.watchdog import watched

PATIENCE = 0.05


def block(seconds: float) -> None:
    time.sleep(seconds)


def about_the_loop(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


async def test_a_blocked_loop_is_reported_once_with_the_line_that_blocks_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with watched(PATIENCE):
        block(PATIENCE * 6)
        with trio.fail_after(5):
            while len(caplog.records) < 2:  # noqa: ASYNC110  # a log has no event
                await trio.sleep(0.01)
    blocked, goes_on = about_the_loop(caplog)
    assert "in block" in blocked
    assert "time.sleep(seconds)" in blocked
    assert "goes on after" in goes_on
    assert caplog.records[0].levelno == logging.ERROR


async def test_a_loop_that_is_busy_but_lets_others_run_is_not_reported(
    caplog: pytest.LogCaptureFixture,
) -> None:
    # So patient that a machine which is slow for a moment is not blamed on the loop.
    patience = 1.0
    async with watched(patience):
        until = time.monotonic() + patience * 1.5
        while True:
            await trio.lowlevel.checkpoint()
            if time.monotonic() > until:
                break
    assert about_the_loop(caplog) == []


async def test_no_thread_is_left_even_where_the_block_ends_while_blocked() -> None:
    before = threading.active_count()
    async with watched(PATIENCE):
        block(PATIENCE * 3)
    assert threading.active_count() == before
