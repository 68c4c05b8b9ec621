"""The pages on deployment: what they tell to type is understood, and adds up."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest
import trio

from tests.clients.process import ROOT, started
from tests.deploy.fronts import block, free_port
from tests.needs import needs, program
from tests.run.cluster.crews import Crew
from trioweb.run.cluster.roster import MARGIN

PAGES = [*sorted((ROOT / "docs/deploy").glob("*.md")), ROOT / "docs/settings.md"]

# A command of ours as a line to type, or as a list in a Dockerfile or a manifest.
_LINE = re.compile(r"^(trioweb (?:run|ctl) [^\n#]*)", re.MULTILINE)
_LIST = re.compile(r'(?:CMD|command:) (\["trioweb", [^\n]*\])')


def commands() -> list[list[str]]:
    found = []
    for page in PAGES:
        text = page.read_text("utf-8").replace("\\\n", " ")
        found += [shlex.split(line) for line in _LINE.findall(text)]
        found += [json.loads(line) for line in _LIST.findall(text)]
    return [each for each in found if each[1] == "run"]


def shown(command: list[str], directory: Path) -> dict[str, dict[str, object]]:
    """The settings that a command stands for."""
    options = [each for each in command if each != "--show-config"]
    done = subprocess.run(
        [sys.executable, "-m", *options, "--show-config", "--json"],
        capture_output=True,
        text=True,
        check=False,
        cwd=directory,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    said: dict[str, dict[str, object]] = json.loads(done.stdout)
    return said


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_every_command_of_the_pages_is_understood(
    command: list[str], tmp_path: Path
) -> None:
    assert shown(command, tmp_path)


def test_there_are_commands_on_the_pages() -> None:
    assert len(commands()) >= 6


def test_kubernetes_kills_nobody_who_is_stopping(tmp_path: Path) -> None:
    text = block("kubernetes.md", "yaml")
    (line,) = _LIST.findall(text)
    (allowed,) = re.findall(r"terminationGracePeriodSeconds: (\d+)", text)
    said = shown(json.loads(line), tmp_path)
    needed = MARGIN
    for name in ("drain_delay", "grace", "cleanup"):
        needed += float(str(said[name]["value"]))
    assert needed < int(allowed)


@pytest.mark.parametrize("page", PAGES, ids=lambda each: each.name)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^):#]+)\)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), target


# The other files of the pages are tried by the programs themselves: test_proxies.py.


@needs("systemd")
async def test_a_socket_of_systemd_is_served(tmp_path: Path) -> None:
    port = free_port()
    command: list[str | Path] = [program("systemd"), "-l", f"127.0.0.1:{port}"]
    # It hands on only the variables that it is told to.
    command += ["-E", f"PATH={Path(sys.executable).parent}", sys.executable, "-m"]
    command += ["trioweb", "run", ROOT / "tests/apps/crew.py"]
    command += ["--workers", "2", "--access-log", "off"]
    async with started(command) as running:
        await running.until(re.compile(rb"Listening on"))
        async with httpx2.AsyncClient(timeout=30) as web:
            answer = await web.get(f"http://127.0.0.1:{port}/who")
        # It has become the supervisor, which takes its workers with it.
        crew = Crew(running, "127.0.0.1", port)  # type: ignore[arg-type]  # no URL is asked of it
        assert answer.json()["pid"] in crew.workers()
        with trio.fail_after(30):
            assert await crew.stop() == 0
