"""Settings of the command, and of a program that is run: which of them counts."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.command import APP, PATIENCE, get, trioweb


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a program in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop.py").write_text(APP, encoding="utf-8")
    return tmp_path


def shown(*arguments: str) -> dict[str, object]:
    """What --show-config says: the value of each setting, and where it is from."""
    ended = trioweb("run", "shop.py", "--show-config", "--json", *arguments)
    assert ended.returncode == 0, ended.stderr
    said = json.loads(ended.stdout)
    return {name: (each["value"], each["from"]) for name, each in said.items()}


def test_the_command_line_has_the_last_word_and_the_file_the_first(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "grace = 1\ncleanup = 1\nstartup = 1\n[limits]\nhead_time = 1\nage = 1\n"
    (here / "trioweb.toml").write_text(text, encoding="utf-8")
    monkeypatch.setenv("TRIOWEB_GRACE", "2")
    monkeypatch.setenv("TRIOWEB_CLEANUP", "2")
    monkeypatch.setenv("TRIOWEB_LIMITS_AGE", "2")
    said = shown(
        "--grace=3",
        "--set=limits.age=3",
        "--bind=8081",
        "--bind=8082",
        "--bind=[::1]:0",
    )
    assert said["silence"] == (30, "default")
    assert said["startup"] == (1, "trioweb.toml")
    assert said["limits.head_time"] == (1, "trioweb.toml")
    assert said["cleanup"] == (2, "TRIOWEB_CLEANUP")
    assert said["grace"] == (3, "--grace")
    assert said["limits.age"] == (3, "--set limits.age")
    assert said["bind"] == (["8081", "8082", "[::1]:0"], "--bind")


def test_settings_are_shown_as_a_file_without_loading_the_program(here: Path) -> None:
    ended = trioweb("run", "not_there.py", "--show-config", "--workers=2")
    assert ended.returncode == 0
    assert re.search(r"^workers = 2 +# --workers$", ended.stdout, re.MULTILINE)
    (here / "trioweb.toml").write_text(ended.stdout, encoding="utf-8")
    assert shown()["workers"] == (2, "trioweb.toml")
    assert shown("--workers=none")["workers"] == (None, "--workers")


def test_a_file_of_another_name_is_named(here: Path) -> None:
    (here / "eu.toml").write_text("grace = 7", encoding="utf-8")
    assert shown("--config", "eu.toml")["grace"] == (7, "eu.toml")


def test_a_wrong_setting_is_one_line_and_exit_code_1(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "trioweb.toml").write_text("[limits]\nhed_time = 1", encoding="utf-8")
    ended = trioweb("run", "shop.py")
    assert ended.returncode == 1
    assert ended.stderr == (
        "trioweb: trioweb.toml:limits.hed_time is no setting; "
        "did you mean limits.head_time?\n"
    )
    (here / "trioweb.toml").unlink()
    monkeypatch.setenv("TRIOWEB_GRACE", "-1")
    ended = trioweb("run", "shop.py")
    assert ended.returncode == 1
    assert ended.stderr.startswith("trioweb: TRIOWEB_GRACE: grace is -1.0; give")


SCRIPT = """\
from trioweb import App, Config, run

app = App()

if __name__ == "__main__":
    run(app, port=1, config=Config(grace=7), on_listen=print, access_log="off")
"""


def test_who_runs_a_script_has_the_last_word_over_its_arguments(here: Path) -> None:
    (here / "script.py").write_text(SCRIPT, encoding="utf-8")
    (here / "trioweb.toml").write_text(
        'bind = ["127.0.0.1:1"]\nworkers = 1', encoding="utf-8"
    )
    with subprocess.Popen(
        [sys.executable, "script.py"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TRIOWEB_BIND": "127.0.0.1:0", "PYTHONUNBUFFERED": "1"},
    ) as server:
        try:
            assert server.stdout is not None
            (port,) = re.findall(r":(\d+)'", server.stdout.readline())
            assert get(port, "/")[0] == 404
            # By a worker, as the file says.
            children = f"/proc/{server.pid}/task/{server.pid}/children"
            assert Path(children).read_text("ascii").split()
            server.terminate()
            assert server.wait(PATIENCE) == 0
        finally:
            server.kill()


def test_a_script_that_is_run_with_a_wrong_setting_says_so_in_one_line(
    here: Path,
) -> None:
    (here / "script.py").write_text(SCRIPT, encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, "script.py"],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
        env={**os.environ, "TRIOWEB_WORKER": "1"},
    )
    assert (ended.returncode, ended.stderr) == (
        1,
        "trioweb: TRIOWEB_WORKER is no setting; did you mean TRIOWEB_WORKERS?\n",
    )
