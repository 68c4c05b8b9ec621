"""Programs that tests need: without one they are skipped, or fail if it is required.

`@needs("curl")` marks a test, `pytestmark = needs("curl")` a file; `program("curl")`
is where it is.  The environment variable TESTS_REQUIRE holds the names, separated by
commas, whose absence is a failure; `all` stands for every one.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

# The name a test uses, and the commands under which systems install the program.
COMMANDS = {
    "chromium": ("chromium", "chromium-browser", "google-chrome"),
    "curl": ("curl",),
    "h2load": ("h2load",),
    "haproxy": ("haproxy",),
    "nghttp": ("nghttp",),
    "nginx": ("nginx",),
    "node": ("node", "nodejs"),
    "openssl": ("openssl",),
    "redis-server": ("redis-server", "valkey-server"),
    "systemd": ("systemd-socket-activate",),
    "valgrind": ("valgrind",),
    "wrk": ("wrk",),
    "wscat": ("wscat",),  # Debian: node-ws; what it brings is Node's ws
}


def needs(name: str) -> pytest.MarkDecorator:
    """The mark of a test that cannot run without the program *name*."""
    if name not in COMMANDS:
        raise ValueError(f"{name!r} is not one of {', '.join(COMMANDS)}")
    return pytest.mark.needs(name)


def program(name: str) -> Path:
    """Where the program *name* is; skips or fails the running test if it is missing."""
    for command in COMMANDS[name]:
        if found := shutil.which(command):
            return Path(found)
    if required(name):
        pytest.fail(f"{name} is not installed, and TESTS_REQUIRE asks for it")
    pytest.skip(f"{name} is not installed")


def required(name: str) -> bool:
    """Whether the absence of *name* is a failure."""
    names = os.environ.get("TESTS_REQUIRE", "").split(",")
    return "all" in names or name in names
