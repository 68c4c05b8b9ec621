"""Renewal: what a reload makes of the settings, and what it leaves alone."""

from __future__ import annotations

import dataclasses
import signal
import sys
from pathlib import Path

import pytest
import trio

from tests.clients.process import ROOT
from tests.run.cluster.crews import crewed, said, until
from trioweb.message.errors import SetupError
from trioweb.run.cluster.renewal import FIXED, follow, policy_of, renewed
from trioweb.run.config import Config
from trioweb.run.recycling import Recycling

OLD = Config(bind=("fd:3",), workers=2, grace=1, name="shop", admin="127.0.0.1:9100")


def test_a_reload_takes_what_is_said_now_but_for_what_it_stands_on() -> None:
    said_now = Config(grace=7, recycling=Recycling(requests=3), workers=9)
    config = renewed(OLD, lambda: said_now)
    assert (config.grace, config.recycling.requests) == (7, 3)
    for name in FIXED:
        assert getattr(config, name) == getattr(OLD, name)


def test_what_is_wrong_by_then_leaves_all_as_it_was_and_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def wrong() -> Config:
        raise SetupError("trioweb.toml:grcae is no setting")

    assert renewed(OLD, wrong) is OLD
    text = "trioweb.toml:grcae is no setting; the settings stay as they were"
    assert text in caplog.text


def test_where_nobody_says_anything_nothing_changes() -> None:
    assert renewed(OLD, None) is OLD


def test_whoever_has_the_policy_goes_by_the_new_config() -> None:
    policy = policy_of(OLD)
    assert policy.grace == 1
    follow(policy, dataclasses.replace(OLD, grace=2, silence=3))
    assert (policy.grace, policy.silence, policy.cleanup) == (2, 3, OLD.cleanup)


async def test_k7_a_reload_reads_the_file_again(tmp_path: Path) -> None:
    file = trio.Path(tmp_path / "shop.toml")
    await file.write_text('access_log = "off"\n', "utf-8")
    command: list[str | Path] = [sys.executable, "-m", "trioweb", "run"]
    command += [ROOT / "tests/apps/crew.py", "--config", Path(file)]
    command += ["--workers=1", "--bind=127.0.0.1:0"]
    async with crewed(program=command) as crew:
        (first,) = await crew.everybody(1)

        await file.write_text('access_log = "jsno"\n', "utf-8")
        crew.kill(crew.pid, signal.SIGHUP)
        (second,) = await crew.everybody(1, but={first})
        assert "shop.toml:access_log: 'jsno' is not" in said(crew.server)
        assert "GET" not in said(crew.server)

        await file.write_text('access_log = "json"\n', "utf-8")
        crew.kill(crew.pid, signal.SIGHUP)
        await crew.everybody(1, but={first, second})
        await until(lambda: '"method":"GET"' in said(crew.server))
        assert await crew.stop() == 0
